import { FnbusError, type RegisteredFunction, type TriggerOf } from "@fnbus/contract";
import type { SourceKind } from "@fnbus/sources";
import { toCronCall } from "../core/calls.ts";
import type { Job } from "../core/job.ts";
import { type KindContext, toIso } from "./timer.ts";

const NEXT_SHOWN = 5;
const scheduleOf = ({ definition }: RegisteredFunction): string => definition.settings.options.schedule?.trim() ?? "";

/** A space's one cron trigger: every function of the space by the schedule in its own options (wire-compatibility.md 7.4). */
export function createCronKind({ registry, functions, jobs, now }: KindContext): SourceKind {
  return {
    open(opened, status) {
      let trigger = opened as TriggerOf<"cron">;
      /** By registry id. Without a job: the schedule cannot be read. */
      const held = new Map<string, { text: string; name: string; job?: Job }>();
      const stopping = new Set<Promise<void>>();

      const drop = (id: string) => {
        const job = held.get(id)?.job;
        held.delete(id);
        if (!job) return;
        const stopped = jobs.stop(job).then(() => void stopping.delete(stopped));
        stopping.add(stopped);
      };
      const follow = (id: string) => {
        const to = registry.functionById(id);
        const text = to ? scheduleOf(to) : "";
        if ((held.get(id)?.text ?? "") === text) return;
        drop(id);
        if (!to || text === "") return;
        const { name } = to.definition;
        try {
          held.set(id, { text, name, job: jobs.start({ trigger, to, text, status, toCall: toCronCall }) });
        } catch (error) {
          if (!(error instanceof FnbusError)) throw error;
          held.set(id, { text, name });
          status.trouble(error.code, `Function ${name}: ${error.message}`);
        }
      };
      const unwatch = functions.onSpace(trigger.space, follow);
      for (const { definition } of registry.functionsOf(trigger.space)) follow(definition.id);
      status.running();
      return {
        change(changed) {
          const next = changed as TriggerOf<"cron">;
          if (next.incarnation !== trigger.incarnation || next.config.timezone !== trigger.config.timezone)
            return false;
          trigger = next;
          for (const { job } of held.values()) if (job) job.trigger = next;
          return true;
        },
        details() {
          const coming = [...held.values()].flatMap(({ name, job }) => {
            const at = job?.schedule.next(now());
            return at === undefined ? [] : [{ function: name, at }];
          });
          coming.sort((one, other) => one.at - other.at);
          const next = coming.slice(0, NEXT_SHOWN).map(({ at, ...rest }) => ({ ...rest, at: toIso(at) }));
          return { functions: held.size, next };
        },
        async stop() {
          unwatch();
          for (const id of [...held.keys()]) drop(id);
          await Promise.all(stopping);
        },
      };
    },
    sample(trigger) {
      const wanted = registry.functionsOf(trigger.space).filter((to) => scheduleOf(to) !== "");
      if (wanted.length === 0) throw new FnbusError("trigger_not_testable");
      return wanted.map((to) => toCronCall(trigger as TriggerOf<"cron">, to));
    },
  };
}
