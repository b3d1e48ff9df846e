import { type CallbackReference, toJobId, toReference } from "./callback-reference.ts";

/** One callback without an end. */
export interface OpenCallback extends CallbackReference {
  /** It stands in a store of its own, so that its outcome may be trimmed (L26). */
  copied: boolean;
  /** Its job was given to Redis, and Redis has not lost its memory since. */
  hasJob: boolean;
  /** When its next try is due; its job is looked for when this is long over. */
  dueAt: number;
  /** Ends on RECORDS up to here belong to an earlier delivery. */
  afterRecord: number;
  /**
   * Id of the job that its first try shares with others. It follows from the message of OUTCOMES alone, so that every keeper
   * adds the same jobs. From its first try on a callback has a job of its own.
   */
  series?: string | undefined;
}

/**
 * Which callbacks are open: outcomes from the low mark without an end on RECORDS, and copies (L26). It is what Redis is rebuilt
 * from, so it knows nothing of Redis but `hasJob`. About 300 bytes a callback.
 */
export interface OpenCallbacks {
  readonly size: number;
  get(id: string): OpenCallback | undefined;
  all(): Iterable<OpenCallback>;
  /** Takes one up; a second copy of an id changes nothing. */
  open(callback: OpenCallback): void;
  /** A try was recorded: the next is due at `nextAt`. */
  tried(id: string, attempt: number, nextAt: number | undefined): void;
  /** An end was recorded at this place of RECORDS. Returns what ended. */
  end(id: string, record: number): OpenCallback | undefined;
  /** The outcomes of a message of OUTCOMES have all been taken up. */
  read(partition: number, sequence: number): void;
  /** Everything in OUTCOMES below this may be trimmed. */
  lowMark(partition: number): number;
  /** The oldest message of OUTCOMES that holds the mark back, and its open callbacks. */
  oldest(partition: number): { sequence: number; callbacks: OpenCallback[] } | undefined;
  copied(partition: number, sequence: number): void;
  /** Of what ended lately, where its outcome stands. */
  ended(id: string): CallbackReference | undefined;
  /** Those that wait for a job, oldest first: so many, and what is left of the last one's message. */
  withoutJob(limit: number): OpenCallback[];
  hasJob(jobIds: Iterable<string>): void;
  /** Redis has forgotten: every callback needs its job again. */
  forgetJobs(): void;
  /** This one's job was not found: it gets one of its own. */
  forgetJob(id: string): void;
  openAt(host: string): number;
}

/** Ends that came before their outcome was read (another replica sent it), remembered at most so many. */
const EARLY_ENDS = 50_000;
/** Ended callbacks whose place is remembered, for a redrive while their outcome is in the log. */
const ENDED = 50_000;

export function createOpenCallbacks(): OpenCallbacks {
  const byId = new Map<string, OpenCallback>();
  const perHost = new Map<string, number>();
  const jobless = new Map<string, OpenCallback>();
  /** Of each partition: messages that hold open callbacks that are not copied, in the log's order. */
  const held = new Map<number, Map<number, Set<string>>>();
  const next = new Map<number, number>();
  const early = new Map<string, number>();
  const ended = new Map<string, CallbackReference>();

  const heldOf = (partition: number): Map<number, Set<string>> => {
    const sequences = held.get(partition) ?? new Map<number, Set<string>>();
    held.set(partition, sequences);
    return sequences;
  };
  function release(callback: OpenCallback): void {
    const sequences = heldOf(callback.partition);
    const ids = sequences.get(callback.sequence);
    if (ids?.delete(callback.id) && ids.size === 0) sequences.delete(callback.sequence);
  }
  const count = (host: string, by: number): void => {
    const now = (perHost.get(host) ?? 0) + by;
    if (now > 0) perHost.set(host, now);
    else perHost.delete(host);
  };
  const forgetJob = (callback: OpenCallback): void => {
    callback.hasJob = false;
    jobless.set(toJobId(callback), callback);
  };

  return {
    get size() {
      return byId.size;
    },
    get: (id) => byId.get(id),
    all: () => byId.values(),
    open(callback) {
      if (byId.has(callback.id) || (early.get(callback.id) ?? 0) > callback.afterRecord) return;
      byId.set(callback.id, callback);
      count(callback.host, 1);
      if (!callback.hasJob) jobless.set(toJobId(callback), callback);
      if (callback.copied) return;
      const sequences = heldOf(callback.partition);
      const ids = sequences.get(callback.sequence);
      if (ids) ids.add(callback.id);
      else sequences.set(callback.sequence, new Set([callback.id]));
    },
    tried(id, attempt, nextAt) {
      const callback = byId.get(id);
      if (!callback) return;
      callback.attempts = Math.max(callback.attempts, attempt);
      callback.series = undefined;
      if (nextAt !== undefined) callback.dueAt = nextAt;
    },
    end(id, record) {
      const callback = byId.get(id);
      if (!callback) {
        early.set(id, record);
        if (early.size > EARLY_ENDS) early.delete(early.keys().next().value!);
      }
      if (!callback || record <= callback.afterRecord) return undefined;
      byId.delete(id);
      jobless.delete(toJobId(callback));
      count(callback.host, -1);
      release(callback);
      ended.set(id, toReference(callback));
      if (ended.size > ENDED) ended.delete(ended.keys().next().value!);
      return callback;
    },
    ended: (id) => ended.get(id),
    read(partition, sequence) {
      next.set(partition, sequence + 1);
    },
    lowMark(partition) {
      const [oldest] = heldOf(partition).keys();
      return oldest ?? next.get(partition) ?? 0;
    },
    oldest(partition) {
      for (const [sequence, ids] of heldOf(partition))
        return { sequence, callbacks: [...ids].map((id) => byId.get(id)!) };
      return undefined;
    },
    copied(partition, sequence) {
      for (const id of heldOf(partition).get(sequence) ?? []) byId.get(id)!.copied = true;
      heldOf(partition).delete(sequence);
    },
    withoutJob(limit) {
      const list: OpenCallback[] = [];
      for (const callback of jobless.values()) {
        if (list.length >= limit && callback.sequence !== list.at(-1)?.sequence) break;
        list.push(callback);
      }
      return list;
    },
    hasJob(jobIds) {
      for (const jobId of jobIds) {
        const callback = jobless.get(jobId);
        if (callback) callback.hasJob = true;
        jobless.delete(jobId);
      }
    },
    forgetJobs() {
      for (const callback of byId.values()) forgetJob(callback);
    },
    forgetJob(id) {
      const callback = byId.get(id);
      if (!callback) return;
      callback.series = undefined;
      forgetJob(callback);
    },
    openAt: (host) => perHost.get(host) ?? 0,
  };
}
