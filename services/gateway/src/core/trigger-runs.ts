import type { RegisteredFunction, Trigger } from "@fnbus/contract";
import { nextRuns, parseSchedule } from "@fnbus/sources";

/** When a schedule comes due next. */
export interface Runs {
  function: string;
  schedule: string;
  timezone: string;
  /** RFC 3339, UTC. */
  runs: string[];
}

/** The next runs of each schedule of a trigger: its own, or those of its space's functions. Of other types none. */
export function toRuns(
  trigger: Trigger,
  functions: readonly RegisteredFunction[],
  nowMs: number,
  count: number,
): Runs[] {
  const show = (to: string, text: string, syntax: "standard" | "functiongraph", zone: string | undefined): Runs => {
    const schedule = parseSchedule(text, { syntax, ...(zone === undefined ? {} : { timezone: zone }) });
    const runs = nextRuns(schedule, nowMs, count).map((ms) => new Date(ms).toISOString());
    return { function: to, schedule: text, timezone: schedule.timezone, runs };
  };
  if (trigger.type === "timer") {
    const { schedule, syntax = "standard", timezone } = trigger.config;
    return [show(trigger.function?.name ?? "", schedule, syntax, timezone)];
  }
  if (trigger.type !== "cron") return [];
  return functions
    .filter(({ definition }) => definition.settings.options.schedule)
    .map(({ definition: { name, settings } }) =>
      show(name, settings.options.schedule!, "standard", trigger.config.timezone),
    )
    .sort((one, other) => (one.function < other.function ? -1 : 1));
}
