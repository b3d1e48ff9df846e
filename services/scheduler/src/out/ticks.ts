import { FnbusError, type Verdict } from "@fnbus/contract";
import type { Publisher } from "@fnbus/publisher";
import type { RegistryIndex } from "@fnbus/registry";
import type { Logger } from "@fnbus/telemetry";
import { countSkipped, type Skipped } from "../core/due.ts";
import { type Job, toTickCall } from "../core/job.ts";

export interface TicksContext {
  publisher: Publisher;
  registry: RegistryIndex;
  logger: Logger;
  now(): number;
  /** A tick became an invocation of ours so late. */
  onTick(lateMs: number): void;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;
/** Skipped ticks are counted so far; a record says "at least" beyond. */
const MOST_COUNTED = 10_000;

/** Publishes ticks of one schedule in order; what could not be published stays due, and the schedule is tried again. */
export function createTickPublishing({ publisher, registry, logger, now, onTick }: TicksContext) {
  /** Whether the tick became an invocation of this replica's making. Throws what it was refused for, to be tried again. */
  function take(job: Job, tick: number, verdict: Verdict): boolean {
    if (verdict.verdict === "refused" && verdict.errorCode !== "position_refused") {
      job.ahead ||= verdict.errorCode === "tick_ahead";
      throw new FnbusError(verdict.errorCode);
    }
    job.after = tick;
    job.status.received();
    if (verdict.verdict !== "new") return false;
    job.status.published();
    onTick(Math.max(0, now() - tick));
    return true;
  }

  /** One record of what was left out, by the replica that published what came next: the others leave out the same (I6). */
  async function record(job: Job, skipped: Skipped): Promise<void> {
    const ticks = countSkipped(job.schedule, skipped, MOST_COUNTED);
    const to = registry.functionById(job.functionId)?.definition.name;
    job.status.givenUp(ticks);
    await publisher.giveUp({
      trigger: job.trigger,
      what: `${ticks === MOST_COUNTED ? "at least " : ""}${ticks} missed ticks of ${to}`,
      reason: `not made up for: catch-up is ${job.trigger.config.catchUp ?? "last"}`,
      details: { function: to, ticks, from: skipped.from, until: skipped.until },
    });
  }

  async function send(job: Job, ticks: number[], skipped: Skipped | undefined): Promise<void> {
    const to = registry.functionById(job.functionId);
    if (!to) throw new FnbusError("function_not_found");
    const calls = ticks.map((tick) => toTickCall(job, to, tick));
    const verdicts = calls.length === 1 ? [await publisher.sendJudged(calls[0]!)] : await publisher.sendInOrder(calls);
    for (const [index, verdict] of verdicts.entries()) {
      const isOurs = take(job, ticks[index]!, verdict);
      if (index > 0) continue;
      job.skipped = undefined;
      if (isOurs && skipped) await record(job, skipped);
    }
  }

  return async (job: Job, ticks: number[], skipped: Skipped | undefined): Promise<number> => {
    try {
      await send(job, ticks, skipped);
      job.failures = 0;
      return 0;
    } catch (error) {
      const code = error instanceof FnbusError ? error.code : "internal";
      if (code === "internal") logger.error({ err: error, trigger: job.trigger.id }, "a tick was not published");
      job.status.trouble(code, (error as Error).message);
      // Spread, so that many that failed together do not come back together.
      const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(job.failures++, 10));
      return waitMs * (0.5 + Math.random() / 2);
    }
  };
}
