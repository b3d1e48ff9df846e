/** The bus as services see it. Nothing of the client library shows through: this package is the only importer of @nats-io. */

export interface BusOptions {
  servers: string;
  /** Service name and replica: shown in the server's connection list, and the prefix of its inboxes. */
  name: string;
  user?: string;
  password?: string;
  token?: string;
  /** PEM texts. */
  tls?: { ca?: string; cert?: string; key?: string };
  /** How long the first connection may take before `connectBus` rejects; 0: for ever. */
  connectTimeoutMs?: number;
  /**
   * Hears what a person has to mend: a connection that does not come about (not reached, refused credentials), a subject
   * that this user may not use. At once, then every ten seconds.
   */
  onTrouble?(message: string): void;
}

export type Headers = Record<string, string>;

export interface BusMessage {
  subject: string;
  data: Uint8Array;
  /** "" where nobody waits for an answer. */
  reply: string;
  header(name: string): string | undefined;
  /** Publishes to `reply`, coalesced with everything else of this turn of the event loop. */
  respond(data: Uint8Array, headers?: Headers): void;
}

/** A call as whoever answers it sees it. */
export interface BusCall {
  head: string;
  body: Uint8Array;
  /** Once. Travels with everything else that is answered in this turn of the event loop. Throws `too_large`. */
  answer(head: string, body?: Uint8Array): void;
}

export interface CallAnswer {
  head: string;
  body: Uint8Array;
}

export interface CallOptions {
  timeoutMs: number;
  /** Among how many who answer on this subject the calls of one turn are to be divided; 1: they travel together. */
  spread?: number;
}

export interface Subscription {
  unsubscribe(): void;
  /** Stops taking new messages; resolves when those that arrived have been handed over. */
  drain(): Promise<void>;
}

/** Why an operation on the bus failed. One class, asked by code. */
export type BusErrorCode =
  | "no_responders"
  | "timeout"
  | "disconnected"
  /** 10071: somebody else wrote first. `BusError.lastSequence` where the server said it. */
  | "wrong_sequence"
  /** 10077 and its kin: the stream is full, nothing was stored. */
  | "full"
  /** Nothing was stored for another reason that may pass (no leader, no quorum, storage failure). */
  | "not_stored"
  | "not_found"
  | "exists"
  | "too_large"
  | "forbidden"
  | "closed"
  /** The stream exists with other settings: `message` says which. */
  | "mismatch";

export interface StoredMessage {
  subject: string;
  sequence: number;
  /** Broker's time stamp, ms since 1970. */
  at: number;
  data: Uint8Array;
  header(name: string): string | undefined;
}

export interface AppendOptions {
  headers?: Headers;
  timeoutMs?: number;
  /** The fence: refuse unless this is the last sequence of the subject (0: none yet). */
  expectedLastSubjectSequence?: number;
}

export interface StreamState {
  name: string;
  createdAt: number;
  first: number;
  /** 0 where nothing was ever stored. */
  last: number;
  messages: number;
  bytes: number;
  maxBytes: number;
}

/** One stream that the platform needs. `discard: old` is for logs of functions alone (RELIABILITY.md 2.2). */
export interface StreamSpec {
  name: string;
  subjects: string[];
  maxBytes: number;
  discard: "new" | "old";
  maxAgeMs?: number;
  replicas: number;
}

export interface LogReader {
  /** Stops; no handler call begins afterwards. */
  stop(): Promise<void>;
}

export interface DurableMessage extends StoredMessage {
  ack(): void;
  /** Give it again after this. */
  nak(delayMs: number): void;
  working(): void;
}

export interface KeyValueEntry {
  key: string;
  value: Uint8Array;
  revision: number;
  at: number;
}

export interface KeyValue {
  get(key: string): Promise<KeyValueEntry | undefined>;
  put(key: string, value: Uint8Array): Promise<number>;
  /** Throws `exists`. */
  create(key: string, value: Uint8Array): Promise<number>;
  /** Throws `wrong_sequence`. */
  update(key: string, value: Uint8Array, revision: number): Promise<number>;
  /** Gives the removal's revision. With a revision: throws `wrong_sequence` where it is no longer the last. */
  delete(key: string, revision?: number): Promise<number>;
  /**
   * Removes a key up to a revision and leaves no marker, so a watch hears of it only after it was cut off, and a broker
   * that crashes may show an older value of it again: for values that everybody takes for void by themselves (expired).
   */
  forget(key: string, revision: number): Promise<void>;
  /**
   * Every present key, then every change, in order, for ever: a broken watch is made anew and what was missed is caught
   * up (removals too). Resolves when the present keys have been handed over. `entry.value` undefined: deleted.
   */
  watch(
    onChange: (change: { key: string; value: Uint8Array | undefined; revision: number; at: number }) => void,
  ): Promise<{ stop(): void }>;
}

export interface ObjectStore {
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** undefined: no such object. */
  get(name: string): Promise<Uint8Array | undefined>;
  delete(name: string): Promise<void>;
  list(): Promise<{ name: string; bytes: number; at: number }[]>;
}

/** Ownership of something by one holder at a time (LEDGER.md L19), in a key-value bucket. */
export interface Lease {
  /** Value of the key while we hold it. */
  readonly revision: number;
  /** Whether a renewal that was acknowledged less than half a lease ago (monotonic clock) stands. */
  isSafe(): boolean;
  /** Changes the value that goes with the lease, for all to read (the owner's epoch). */
  setValue(value: Record<string, unknown>): Promise<void>;
  release(): Promise<void>;
  /** Called once when the lease is lost. */
  onLost(listener: () => void): void;
}

export interface LeaseOptions {
  bucket: string;
  key: string;
  holder: string;
  leaseMs: number;
  value: Record<string, unknown>;
}

/** Group commit (ARCHITECTURE.md 4): collects what arrives while a publish is in flight, one message for all of it. */
export interface Packer {
  /**
   * Resolves when the stream has acknowledged the pack that holds this frame. Rejects with `full`, `not_stored`,
   * `timeout` or `disconnected`; after the last two it may have been stored.
   */
  add(frame: Uint8Array): Promise<{ sequence: number; index: number }>;
  /** Frames and bytes that wait or are in flight (I11: the caller bounds them). */
  readonly pending: { frames: number; bytes: number };
  close(): Promise<void>;
}

export interface Bus {
  readonly serverVersion: string;
  readonly maxPayload: number;
  isConnected(): boolean;
  onStatus(listener: (status: "connected" | "disconnected") => void): () => void;

  /**
   * Core NATS, at most once. Throws `too_large`, and `disconnected`: nothing is buffered while disconnected, nor beyond
   * 64 MB that the broker has not read yet.
   */
  publish(subject: string, data: Uint8Array, options?: { reply?: string; headers?: Headers }): void;
  subscribe(subject: string, handler: (message: BusMessage) => void, options?: { queue?: string }): Subscription;
  /** One answer. Throws `no_responders`, `timeout`, `disconnected`, `forbidden`; `signal` aborts with its reason. */
  request(
    subject: string,
    data: Uint8Array,
    options: { timeoutMs: number; headers?: Headers; signal?: AbortSignal },
  ): Promise<BusMessage>;
  /**
   * A request among many: all that one turn of the event loop has for a subject is one message, answered by `answerCalls`.
   * `head` is a line of text beside the body. Throws what `request` throws, and `too_large`.
   */
  call(subject: string, head: string, body: Uint8Array, options: CallOptions): Promise<CallAnswer>;
  answerCalls(subject: string, onCall: (call: BusCall) => void, options?: { queue?: string }): Subscription;
  /** A subject of our own that others may publish to, below this connection's inbox prefix. */
  createInbox(handler: (message: BusMessage) => void): { subject: string; close(): void };

  append(subject: string, data: Uint8Array, options?: AppendOptions): Promise<{ sequence: number }>;
  createPacker(subject: string, options?: { headers?: Headers; timeoutMs?: number }): Packer;
  /**
   * Reads a stream in order from a sequence on, for ever, resuming by itself after a lost connection, without a gap and
   * without doubles. `onMessages` gets batches and is awaited before the next (back-pressure).
   */
  readLog(
    stream: string,
    from: number,
    onMessages: (batch: StoredMessage[]) => void | Promise<void>,
  ): Promise<LogReader>;
  /** What is stored now under a subject, oldest first, from a time on; at most the newest `maxMessages`. */
  readSubject(
    stream: string,
    subject: string,
    options: { sinceMs?: number; maxMessages: number },
  ): Promise<StoredMessage[]>;
  readAt(stream: string, sequence: number): Promise<StoredMessage | undefined>;
  /** Last message of a subject. */
  readLast(stream: string, subject: string): Promise<StoredMessage | undefined>;
  streamState(stream: string): Promise<StreamState>;
  /** Removes everything below `sequence`. */
  trim(stream: string, sequence: number): Promise<void>;
  /** A durable consumer with explicit acknowledgement, for services without positions of their own. */
  readDurable(
    stream: string,
    durable: string,
    options: { ackWaitMs: number; maxPending: number },
    onMessage: (message: DurableMessage) => void | Promise<void>,
  ): Promise<LogReader>;

  /** Streams and buckets as they should be: creates what is missing, changes sizes, throws `mismatch` for the rest. */
  provision(wanted: {
    streams: StreamSpec[];
    keyValues: { name: string; history: number; maxBytes: number; replicas: number }[];
    objects: { name: string; maxBytes: number; replicas: number }[];
  }): Promise<void>;
  keyValue(bucket: string): Promise<KeyValue>;
  objects(bucket: string): Promise<ObjectStore>;
  /** Waits until the lease is free or over its time, then holds and renews it until released. `signal` ends the wait. */
  acquireLease(options: LeaseOptions, signal: AbortSignal): Promise<Lease>;

  /** Stops subscriptions, lets what is in flight finish, closes. */
  drain(): Promise<void>;
}
