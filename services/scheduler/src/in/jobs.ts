import type { RegistryIndex } from "@fnbus/registry";
import { createJob, type Job, type JobSettings, toJobSource, toStart } from "../core/job.ts";
import type { Ticker } from "./ticker.ts";

export interface Jobs {
  /** Learns the job's place from the ledger, then lets it tick. Throws as `createJob`. */
  start(settings: JobSettings): Job;
  /** Resolves when nothing of it is in flight. */
  stop(job: Job): Promise<void>;
}

export interface JobsContext {
  registry: RegistryIndex;
  ticker: Ticker;
  /** Throws only when the service stops. */
  readMark(partition: number, source: string): Promise<number | null>;
  now(): number;
}

/** Schedules at work. */
export function createJobs({ registry, ticker, readMark, now }: JobsContext): Jobs {
  async function begin(job: Job): Promise<void> {
    const to = registry.functionById(job.functionId)!;
    const mark = await readMark(to.definition.partition, toJobSource(job, to)).catch(() => undefined);
    if (mark === undefined || job.stopped) return;
    job.after = toStart(job, to, mark, now());
    job.work = undefined;
    job.status.running();
    ticker.add(job);
  }
  return {
    start(settings) {
      const job = createJob(settings);
      job.work = begin(job);
      return job;
    },
    async stop(job) {
      job.stopped = true;
      ticker.remove(job);
      // A mark that is being asked for is not waited for: while the ledger is away it may take long.
      if (job.after !== Number.POSITIVE_INFINITY) await job.work;
    },
  };
}
