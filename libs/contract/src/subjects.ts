/** Names of subjects, streams and buckets: nowhere else are they written. docs/subjects.md is kept equal by a test. */
export const subjects = Object.freeze({
  /** Synchronous calls, queue group "executors" of the pool. */
  call: (pool: string, space: string, name: string) => `calls.${pool}.${space}.${name}`,
  /** What an executor of the pool subscribes to. */
  calls: (pool: string) => `calls.${pool}.>`,
  /** One executor alone: the second try of a call that another had no room for. */
  callAt: (executor: string) => `callat.${executor}`,
  /** Request to one executor of the pool: does this code parse and have its handler (CheckQuestion)? */
  check: (pool: string) => `check.${pool}`,
  /** Packs of accepted envelopes, from every publisher. */
  invocations: (partition: number) => `invocations.${partition}`,
  /** What the partition's owner decided: appended by it alone, under the fence. */
  outcomes: (partition: number) => `outcomes.${partition}`,
  /** Envelopes that wait long, and those of dead letters. */
  parked: (partition: number) => `parked.${partition}`,
  /** Callback attempts and ends, recorded synchronous calls, every give-up. */
  records: (partition: number) => `records.${partition}`,
  /** Numbered packs of work from the owner to one executor. */
  work: (executor: string) => `work.${executor}`,
  /** Results of runs, repeated until the owner says that they are durable. */
  results: (partition: number) => `results.${partition}`,
  /** Request: what do you hold? Answer: Announcement. */
  holds: (executor: string) => `holds.${executor}`,
  /** What every executor says of itself each second: Announcement. */
  announceExecutors: "announce.executors",
  /** What the owner of a partition says each second: LedgerAnnouncement. */
  announceLedger: (partition: number) => `announce.ledger.${partition}`,
  /** All partitions' owners. */
  announceLedgers: "announce.ledger.*",
  /** The callbacks' low mark of a partition, each second. */
  announceCallbacks: (partition: number) => `announce.callbacks.${partition}`,
  /** Look-up, cancel, redrive: requests that the partition's owner answers (lookup.ts). */
  ask: (partition: number) => `ask.ledger.${partition}`,
  /** Requests that callback-dispatcher answers (lookup.ts). */
  askCallbacks: "ask.callbacks",
  /** What every replica that runs triggers says of itself each second: SourceAnnouncement. */
  announceSources: "announce.sources",
  /** Requests that every replica of every such service answers (sources.ts). */
  askAllSources: "ask.sources.all",
  /** Requests that one replica of the service answers. */
  askSources: (service: string) => `ask.sources.${service}`,
  /** Log lines of functions as they are written: a JSON array of LogLine. */
  logs: (space: string, name: string) => `logs.${space}.${name}`,
  /** All functions' log lines. */
  logsOf: "logs.*.*",
});

export const streams = Object.freeze({
  /** What is accepted and unfinished, trimmed by the ledger. */
  invocations: (partition: number) => `INVOCATIONS_${partition}`,
  /** Attempts, outcomes, cancels, epochs, checkpoints: one writer. */
  outcomes: (partition: number) => `OUTCOMES_${partition}`,
  /** Envelopes that wait long, and those of dead letters. */
  parked: (partition: number) => `PARKED_${partition}`,
  /** Callback attempts and ends, recorded synchronous calls, give-ups. */
  records: (partition: number) => `RECORDS_${partition}`,
  /** Log lines of functions: limits retention with `discard: old`, the one stream that may evict. */
  logs: "LOGS",
});

export const buckets = Object.freeze({
  /** Key-value: spaces, functions, versions. */
  registry: "REGISTRY",
  /** Key-value: keys, OAuth2 clients and tokens, as hashes. */
  access: "ACCESS",
  /** Key-value: triggers, with the credentials of their brokers; no service reads it that runs user code. */
  triggers: "TRIGGERS",
  /** Key-value: ownership of partitions, one platform a data folder. */
  leases: "LEASES",
  /** Objects: code archives. */
  code: "CODE",
  /** Objects: bodies over the inline limit (claim check). */
  bodies: "BODIES",
  /** Objects: checkpoints of the ledger. */
  checkpoints: "CHECKPOINTS",
  /** Objects: copies of what open callbacks need, made before their outcomes are trimmed. */
  callbacks: "CALLBACKS",
});

export const EXECUTOR_QUEUE = "executors";
export const SOURCE_QUEUE = "sources";
