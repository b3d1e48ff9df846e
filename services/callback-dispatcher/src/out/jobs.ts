import { randomUUID } from "node:crypto";
import { type BulkJobOptions, ErrorCode, Job, Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { CallbackReference } from "../core/callback-reference.ts";
import { PREFIX, QUEUE } from "./redis.ts";

/** One job: callbacks to one host, due together. */
export interface CallbackJob {
  jobId: string;
  callbacks: CallbackReference[];
  /** ms since 1970. */
  dueAt: number;
}

/** What Redis holds of a job, beside its time. */
export type JobData = Pick<CallbackJob, "callbacks">;

/** The timers of callbacks in Redis. Everything here fails at once while Redis is away. */
export interface Jobs {
  /** Makes jobs; one that is there already stays as it is. */
  add(list: readonly CallbackJob[]): Promise<void>;
  /** `missing`: no such job. `idle`: it has ended. `alive`: it waits or runs. */
  state(jobId: string): Promise<"missing" | "idle" | "alive">;
  remove(jobId: string): Promise<void>;
  /** Its next try is now, where it waits for a time. */
  promote(jobId: string): Promise<void>;
  /** Whether Redis is another one, was restarted or emptied since the last call. */
  hasForgotten(): Promise<boolean>;
  /** Share of Redis' memory limit in use, 0..1; 0 where it has none. */
  memory(): Promise<number>;
  counts(): Promise<{ waiting: number; delayed: number; active: number }>;
  isUp(): boolean;
  close(): Promise<void>;
}

const HOUR_SECONDS = 3_600;
/** An ended job keeps its id taken, so that adding it again does nothing (I4: at least once, but not for ever). */
const jobOptions = {
  removeOnComplete: { age: 48 * HOUR_SECONDS, count: 10_000 },
  removeOnFail: { age: 14 * 24 * HOUR_SECONDS, count: 10_000 },
  // The schedule is ours. This is for errors of this program: the job comes again instead of ending without a record.
  attempts: 1_000_000,
  backoff: { type: "fixed", delay: 5_000 },
} satisfies BulkJobOptions;
const JOB_NAME = "callbacks";
const MARKER = `${PREFIX}:${QUEUE}-marker`;

export function createJobs(redis: Redis): Jobs {
  const queue = new Queue<JobData>(QUEUE, {
    connection: redis,
    prefix: PREFIX,
    streams: { events: { maxLen: 1_000 } },
  });
  // Faults of the connection are told by the connection; without a listener they would end the process.
  queue.on("error", () => {});
  let known = "";

  async function identity(): Promise<string> {
    const info = await redis.info("server");
    const fresh = randomUUID();
    const marker = (await redis.set(MARKER, fresh, "NX")) === "OK" ? fresh : await redis.get(MARKER);
    return `${/^run_id:(\w+)/m.exec(info)?.[1]} ${marker}`;
  }

  return {
    async add(list) {
      const now = Date.now();
      await queue.addBulk(
        list.map(({ jobId, callbacks, dueAt }) => ({
          name: JOB_NAME,
          data: { callbacks },
          opts: { ...jobOptions, jobId, ...(dueAt > now ? { delay: dueAt - now } : {}) },
        })),
      );
    },
    async state(jobId) {
      const state = await queue.getJobState(jobId);
      if (state === "unknown") return "missing";
      return state === "completed" || state === "failed" ? "idle" : "alive";
    },
    async remove(jobId) {
      await queue.remove(jobId);
    },
    async promote(jobId) {
      const job = new Job<JobData>(queue, JOB_NAME, { callbacks: [] }, undefined, jobId);
      await job.promote().catch((error: Error & { code?: number }) => {
        if (error.code !== ErrorCode.JobNotInState) throw error;
      });
    },
    async hasForgotten() {
      const now = await identity();
      const hasForgotten = known !== "" && known !== now;
      known = now;
      return hasForgotten;
    },
    async memory() {
      const info = await redis.info("memory");
      const [used, max] = ["used_memory", "maxmemory"].map((name) =>
        Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0),
      );
      return max ? used! / max : 0;
    },
    async counts() {
      const { wait, prioritized, delayed, active } = await queue.getJobCounts(
        "wait",
        "prioritized",
        "delayed",
        "active",
      );
      return { waiting: (wait ?? 0) + (prioritized ?? 0), delayed: delayed ?? 0, active: active ?? 0 };
    },
    isUp: () => redis.status === "ready",
    async close() {
      await queue.close().catch(() => {});
      redis.disconnect();
    },
  };
}
