import { FnbusError, type TriggerOf } from "@fnbus/contract";
import type { RegistryIndex } from "@fnbus/registry";
import { nextRuns, parseSchedule, type SourceKind } from "@fnbus/sources";
import { toTestedTick, toTimerCall } from "../core/calls.ts";
import { type Job, toCounts } from "../core/job.ts";
import type { FunctionWatch } from "./functions.ts";
import type { Jobs } from "./jobs.ts";

export interface KindContext {
  registry: RegistryIndex;
  functions: FunctionWatch;
  jobs: Jobs;
  now(): number;
}

const NEXT_SHOWN = 5;
export const toIso = (ms: number): string => new Date(ms).toISOString();

/** Whether one definition's marks are the other's. */
const countsAlike = (one: TriggerOf<"timer">, other: TriggerOf<"timer">): boolean =>
  one.incarnation === other.incarnation &&
  one.function?.name === other.function?.name &&
  toCounts(one, one.config.schedule) === toCounts(other, other.config.schedule);

/** Triggers with a schedule of their own, for one function. */
export function createTimerKind({ registry, functions, jobs, now }: KindContext): SourceKind {
  const find = ({ space, function: to }: TriggerOf<"timer">) => registry.functionByName(space, to?.name ?? "");
  return {
    open(opened, status) {
      let trigger = opened as TriggerOf<"timer">;
      const { space, function: to, config } = trigger;
      const name = to?.name ?? "";
      let job: Job | undefined;
      let stopping: Promise<void> | undefined;

      /** Works for the function that has the name now. */
      const follow = () => {
        const found = find(trigger);
        if (job && job.functionId === found?.definition.id) return;
        if (job) stopping = jobs.stop(job);
        job = undefined;
        if (!found) return status.failed("function_not_found", `The space has no function ${name}.`);
        status.pending();
        try {
          job = jobs.start({ trigger, to: found, text: config.schedule, status, toCall: toTimerCall });
        } catch (error) {
          if (!(error instanceof FnbusError)) throw error;
          status.failed(error.code, error.message);
        }
      };
      const unwatch = functions.onName(space, name, follow);
      follow();
      return {
        change(changed) {
          const next = changed as TriggerOf<"timer">;
          if (!countsAlike(trigger, next)) return false;
          trigger = next;
          if (job) job.trigger = next;
          return true;
        },
        details: () =>
          job && {
            timezone: job.schedule.timezone,
            ...(Number.isFinite(job.after) && { doneUntil: toIso(job.after) }),
            next: nextRuns(job.schedule, Math.max(now(), Number.isFinite(job.after) ? job.after : 0), NEXT_SHOWN).map(
              toIso,
            ),
          },
        async stop() {
          unwatch();
          await Promise.all([stopping, job && jobs.stop(job)]);
        },
      };
    },
    sample(sampled, event) {
      const trigger = sampled as TriggerOf<"timer">;
      const to = find(trigger);
      if (!to) throw new FnbusError("function_not_found");
      const { schedule: text, syntax = "standard", timezone } = trigger.config;
      return [toTimerCall(trigger, to, toTestedTick(event, now()), parseSchedule(text, { syntax, timezone }))];
    },
  };
}
