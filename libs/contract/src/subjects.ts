/** Names of subjects, streams and buckets: nowhere else are they written. docs/subjects.md is kept equal by a test. */
export const subjects = Object.freeze({
  /** Synchronous calls, queue group "executors" of the pool. */
  call: (pool: string, space: string, name: string) => `calls.${pool}.${space}.${name}`,
  calls: (pool: string) => `calls.${pool}.>`,
  /** One executor alone: the second try of a call that another had no room for. */
  callAt: (executor: string) => `callat.${executor}`,
  /** Request to one executor of the pool: does this code parse and have its handler (CheckQuestion)? */
  check: (pool: string) => `check.${pool}`,
  invocations: (partition: number) => `invocations.${partition}`,
  outcomes: (partition: number) => `outcomes.${partition}`,
  parked: (partition: number) => `parked.${partition}`,
  records: (partition: number) => `records.${partition}`,
  work: (executor: string) => `work.${executor}`,
  results: (partition: number) => `results.${partition}`,
  /** Request: what do you hold? Answer: Announcement. */
  holds: (executor: string) => `holds.${executor}`,
  announceExecutors: "announce.executors",
  announceLedger: (partition: number) => `announce.ledger.${partition}`,
  announceLedgers: "announce.ledger.*",
  announceCallbacks: (partition: number) => `announce.callbacks.${partition}`,
  /** Look-up, cancel, redrive: requests that the partition's owner answers (lookup.ts). */
  ask: (partition: number) => `ask.ledger.${partition}`,
  /** Requests that callback-dispatcher answers (lookup.ts). */
  askCallbacks: "ask.callbacks",
  /** Log lines of functions as they are written: a JSON array of LogLine. */
  logs: (space: string, name: string) => `logs.${space}.${name}`,
  logsOf: "logs.*.*",
});

export const streams = Object.freeze({
  invocations: (partition: number) => `INVOCATIONS_${partition}`,
  outcomes: (partition: number) => `OUTCOMES_${partition}`,
  parked: (partition: number) => `PARKED_${partition}`,
  records: (partition: number) => `RECORDS_${partition}`,
  /** Log lines of functions: limits retention with `discard: old`, the one stream that may evict. */
  logs: "LOGS",
});

export const buckets = Object.freeze({
  /** Key-value: spaces, functions, versions. */
  registry: "REGISTRY",
  /** Key-value: keys, OAuth2 clients and tokens, as hashes. */
  access: "ACCESS",
  /** Key-value: ownership of partitions, one platform a data folder. */
  leases: "LEASES",
  /** Objects: code archives, large bodies, checkpoints, bodies of open callbacks. */
  code: "CODE",
  bodies: "BODIES",
  checkpoints: "CHECKPOINTS",
  callbacks: "CALLBACKS",
});

export const EXECUTOR_QUEUE = "executors";
