import type { Logger } from "@fnbus/telemetry";
import { toJobId, toReference } from "../core/callback-reference.ts";
import type { OpenCallback, OpenCallbacks } from "../core/open-callbacks.ts";
import type { CallbackJob, Jobs } from "./jobs.ts";

/** Gives every open callback its job, and again when Redis has forgotten (I5). */
export interface Adding {
  /** One round: adds what has no job. Does nothing while Redis is away or nearly full: the callbacks wait here and in the log. */
  work(): Promise<void>;
  /** Why it does not add; undefined: it does. */
  readonly waitsFor: string | undefined;
}

const BULK = 500;
/** At its limit Redis refuses even what would free memory (RELIABILITY.md 2.5): stop well before. */
const MEMORY_LIMIT = 0.8;
const LOOK_MS = 1_000;

export function createAdding(open: OpenCallbacks, jobs: Jobs, logger: Logger): Adding {
  let lookedAt = 0;
  let waitsFor: string | undefined;

  /** In the same order of steps as adding, so that what Redis forgets between two looks is added again after the second. */
  async function look(): Promise<void> {
    if (performance.now() - lookedAt < LOOK_MS && waitsFor === undefined && lookedAt !== 0) return;
    const memory = await jobs.memory();
    if (memory > MEMORY_LIMIT) {
      if (waitsFor === undefined) logger.warn({ memory }, "Redis is nearly full: no callbacks are added");
      waitsFor = `memory of Redis (${Math.round(memory * 100)} % used)`;
      return;
    }
    if (await jobs.hasForgotten()) {
      logger.warn({ open: open.size }, "Redis was emptied or restarted: every open callback gets its job again");
      open.forgetJobs();
    }
    waitsFor = undefined;
    lookedAt = performance.now();
  }

  return {
    get waitsFor() {
      return waitsFor;
    },
    async work() {
      if (!jobs.isUp()) {
        waitsFor = "Redis";
        return;
      }
      await look();
      while (waitsFor === undefined) {
        const list = open.withoutJob(BULK);
        if (list.length === 0) return;
        await jobs.add(toJobs(list));
        open.hasJob(list.map(toJobId));
        await look();
      }
    },
  };
}

function toJobs(list: readonly OpenCallback[]): CallbackJob[] {
  const jobs = new Map<string, CallbackJob>();
  for (const callback of list) {
    const jobId = callback.series ?? toJobId(callback);
    const job = jobs.get(jobId);
    if (job) job.callbacks.push(toReference(callback));
    else jobs.set(jobId, { jobId, callbacks: [toReference(callback)], dueAt: callback.dueAt });
  }
  return [...jobs.values()];
}
