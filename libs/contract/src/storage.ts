import { buckets, streams, subjects } from "./subjects.ts";

const MB = 1024 * 1024;
const GB = 1024 * MB;

/** Sizes in bytes, each of one stream or bucket. The broker reserves them: together they must fit its max_file_store. */
export interface StorageSizes {
  invocations: number;
  outcomes: number;
  parked: number;
  records: number;
  logs: number;
  registry: number;
  access: number;
  triggers: number;
  leases: number;
  code: number;
  bodies: number;
  checkpoints: number;
  callbacks: number;
}

/** For one machine with one partition: 8.4 GB, below a max_file_store of 10 GB. */
export const defaultSizes: Readonly<StorageSizes> = Object.freeze({
  invocations: GB,
  outcomes: GB,
  parked: GB,
  records: GB,
  logs: 256 * MB,
  registry: 64 * MB,
  access: 64 * MB,
  triggers: 256 * MB,
  leases: 8 * MB,
  code: GB,
  bodies: GB,
  checkpoints: 512 * MB,
  callbacks: GB,
});

export interface StorageOptions {
  partitions: number;
  replicas: number;
  sizes?: Partial<StorageSizes>;
  /** How long log lines of functions are kept at most. */
  logsMaxAgeMs?: number;
}

const LOGS_MAX_AGE_MS = 7 * 24 * 3_600_000;
/** Revisions of a definition that can be looked back on. */
const REGISTRY_HISTORY = 5;

/**
 * Every stream and bucket of the platform, as `Bus.provision` takes them. What is accepted is never evicted
 * (`discard: new`: a full stream refuses, L1); the log lines of functions alone may be.
 */
export function platformStorage({ partitions, replicas, sizes, logsMaxAgeMs = LOGS_MAX_AGE_MS }: StorageOptions) {
  const size = { ...defaultSizes, ...sizes };
  const kept = (name: string, subject: string, maxBytes: number) => ({
    name,
    subjects: [subject],
    maxBytes,
    discard: "new" as const,
    replicas,
  });
  const partitioned = Array.from({ length: partitions }, (_, partition) => [
    kept(streams.invocations(partition), subjects.invocations(partition), size.invocations),
    kept(streams.outcomes(partition), subjects.outcomes(partition), size.outcomes),
    kept(streams.parked(partition), subjects.parked(partition), size.parked),
    kept(streams.records(partition), subjects.records(partition), size.records),
  ]);
  const logs = {
    name: streams.logs,
    subjects: [subjects.logsOf],
    maxBytes: size.logs,
    discard: "old" as const,
    maxAgeMs: logsMaxAgeMs,
    replicas,
  };
  return {
    streams: [...partitioned.flat(), logs],
    keyValues: [
      { name: buckets.registry, history: REGISTRY_HISTORY, maxBytes: size.registry, replicas },
      { name: buckets.access, history: 1, maxBytes: size.access, replicas },
      { name: buckets.triggers, history: 1, maxBytes: size.triggers, replicas },
      { name: buckets.leases, history: 1, maxBytes: size.leases, replicas },
    ],
    objects: [
      { name: buckets.code, maxBytes: size.code, replicas },
      { name: buckets.bodies, maxBytes: size.bodies, replicas },
      { name: buckets.checkpoints, maxBytes: size.checkpoints, replicas },
      { name: buckets.callbacks, maxBytes: size.callbacks, replicas },
    ],
  };
}
