/**
 * Limits that every service shares (I11: nothing is buffered without a bound). Sizes in bytes, times in milliseconds.
 * Sources: FunctionGraph's notes and constraints (wire-compatibility.md 1.7), ARCHITECTURE.md section 4.
 */
export const limits = Object.freeze({
  /** Body of a synchronous or asynchronous request: FunctionGraph's 6 MB. */
  requestBodyBytes: 6 * 1024 * 1024,
  /** Answer of a function: RUNTIME_MAX_RESP_BODY_SIZE. */
  responseBodyBytes: 6 * 1024 * 1024,
  /** A larger body on the durable way goes to the object store first (claim check). */
  inlineBodyBytes: 256 * 1024,
  /** A pack holds at most this many entries and bytes. */
  packEntries: 256,
  packBytes: 1024 * 1024,
  /** Header lines that a function may see, and their bytes together. */
  headerCount: 100,
  headerBytes: 32 * 1024,
  callbackUrlBytes: 2048,
  idempotencyKeyBytes: 255,
  callIdBytes: 128,
  orderingKeyBytes: 255,
  /** SmartWorks: at most three levels after invoke (wire-compatibility.md 7.3). */
  pathLevels: 3,
  pathBytes: 2048,
  queryBytes: 8192,
  /** Code archives. */
  codeArchiveBytes: 50 * 1024 * 1024,
  codeUnpackedBytes: 250 * 1024 * 1024,
  codeFiles: 10_000,
  /** A function's environment: names and values together (FunctionGraph: 4 KB; ours is larger). */
  environmentBytes: 16 * 1024,
  environmentCount: 100,
  /** Log output kept of one invocation; what is over is cut and marked. */
  logBytesPerInvocation: 1024 * 1024,
  logLineBytes: 64 * 1024,
  /** Of an asynchronous invocation: how long it may wait and run in all, and the default. */
  maxAgeMs: 24 * 3_600_000,
  defaultMaxAgeMs: 3_600_000,
  timeoutMs: { min: 100, default: 60_000, max: 900_000 },
  memoryMb: { min: 64, default: 128, max: 10_240 },
  attempts: { min: 1, default: 1, max: 10 },
  /** Executors lost under one invocation before it is a dead letter (LEDGER.md L17). */
  executorsLost: 3,
  /** A call that calls itself: hops counted in X-Call-Depth. */
  callDepth: 8,
});
