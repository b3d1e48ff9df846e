import {
  CRON_TRIGGER_NAME,
  createId,
  FnbusError,
  isName,
  type RegisteredTrigger,
  type Trigger,
  type TriggerSettings,
  type TriggerType,
} from "@fnbus/contract";
import type { AddressGuard } from "@fnbus/guard";
import type { Registry, Triggers } from "@fnbus/registry";
import { changeTrigger, type TriggerChange, toTrigger } from "../core/trigger-change.ts";

/** How a change is made. `revision`: refuse unless it is still this one. */
export interface ChangeOptions {
  replace?: boolean;
  revision?: number;
}

/** Triggers made, changed and removed: all is checked first, then the definition is written. */
export interface TriggerDefinitions {
  /** Throws `space_not_found`, `function_not_found`, `trigger_exists`, `cron_trigger_exists`, and what the config is refused for. */
  create(space: string, settings: TriggerSettings): Promise<RegisteredTrigger>;
  /** Throws `trigger_not_found`, `revision_conflict` too. */
  change(space: string, name: string, change: TriggerChange, options?: ChangeOptions): Promise<RegisteredTrigger>;
  /**
   * Begins anew, as if it had never run: positions and names of events of before are forgotten (L9, L10).
   * Kafka begins at what it still holds (`earliest`) or at what is new (`latest`). Throws `trigger_not_replayable`.
   */
  replay(
    space: string,
    name: string,
    from: "latest" | "earliest" | undefined,
    revision?: number,
  ): Promise<RegisteredTrigger>;
  remove(space: string, name: string): Promise<void>;
  /** Throws `space_not_found`, `trigger_not_found`. */
  find(space: string, name: string): RegisteredTrigger;
}

/** A name server that hangs must not hold the request: the address is checked again at each connect. */
const RESOLVE_MS = 2_000;
/** Tries where somebody else's change came between and the caller did not say which revision it must be. */
const UPDATE_TRIES = 5;
const NAME_DIGITS = 8;
/** Types whose sources name or number their events. */
const replayable: readonly TriggerType[] = ["rabbitmq", "kafka", "obs", "cts", "cloudevents"];

export function createTriggerDefinitions(
  registry: Registry,
  triggers: Triggers,
  guard: AddressGuard,
): TriggerDefinitions {
  function find(space: string, name: string): RegisteredTrigger {
    const found = triggers.triggerByName(space, name);
    if (!found) throw new FnbusError(registry.space(space) ? "trigger_not_found" : "space_not_found");
    return found;
  }

  /** Looks outside the trigger: its callback's address, its function. A name that is misspelt is told at once. */
  async function checkReferences(trigger: Trigger, before?: Trigger): Promise<void> {
    const { space, callbackUrl, function: to } = trigger;
    if (to && to.name !== before?.function?.name && !registry.functionByName(space, to.name))
      throw new FnbusError("function_not_found", undefined, { details: { space, function: to.name } });
    if (callbackUrl !== undefined && callbackUrl !== before?.callbackUrl)
      await guard.checkHost(guard.checkUrl(callbackUrl), RESOLVE_MS);
  }

  async function retrying(
    { revision }: { revision?: number | undefined },
    space: string,
    name: string,
    toNext: (before: Trigger) => Trigger,
  ): Promise<RegisteredTrigger> {
    for (let attempt = 1; ; attempt++) {
      const found = find(space, name);
      if (revision !== undefined && revision !== found.revision)
        throw new FnbusError("revision_conflict", undefined, { details: { revision: found.revision } });
      const next = toNext(found.trigger);
      await checkReferences(next, found.trigger);
      try {
        return await triggers.updateTrigger(next, found.revision);
      } catch (error) {
        const isConflict = error instanceof FnbusError && error.code === "revision_conflict";
        if (!isConflict || revision !== undefined || attempt >= UPDATE_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20 * attempt));
      }
    }
  }

  return {
    find,
    async create(space, settings) {
      if (!registry.space(space)) throw new FnbusError("space_not_found");
      const now = Date.now();
      const id = createId(now);
      const name = toName(settings, id);
      const facts = { id, incarnation: createId(now), space, name };
      const trigger = toTrigger(facts, settings, now);
      await checkReferences(trigger);
      const made = await triggers.createTrigger(trigger);
      // A space that was removed meanwhile takes no trigger.
      if (registry.space(space)) return made;
      await triggers.deleteTrigger(space, name);
      throw new FnbusError("space_not_found");
    },
    change: (space, name, change, { replace = false, ...options } = {}) =>
      retrying(options, space, name, (before) => changeTrigger(before, change, replace, Date.now())),
    replay(space, name, from, revision) {
      return retrying({ revision }, space, name, (before) => {
        if (!replayable.includes(before.type)) throw new FnbusError("trigger_not_replayable");
        // Without it records between the present place and the end would be passed over by a default.
        if ((from === undefined) === (before.type === "kafka"))
          throw new FnbusError("invalid_request", "from is for kafka, which needs it: latest or earliest", {
            details: { field: "from" },
          });
        const change: TriggerChange = from === undefined ? {} : { config: { from } };
        return {
          ...changeTrigger(before, change, false, Date.now()),
          ...{ incarnation: createId(), updatedAt: Date.now() },
        };
      });
    },
    async remove(space, name) {
      find(space, name);
      await triggers.deleteTrigger(space, name);
    },
  };
}

/** Throws `invalid_request`. */
function toName({ name, type }: TriggerSettings, id: string): string {
  if (type === "cron" ? name !== undefined && name !== CRON_TRIGGER_NAME : name === CRON_TRIGGER_NAME)
    throw new FnbusError("invalid_request", `"${CRON_TRIGGER_NAME}" is the name of the space's cron trigger`, {
      details: { field: "name" },
    });
  if (name !== undefined && !isName(name))
    throw new FnbusError("invalid_request", "a trigger's name has lower-case letters, digits and hyphens", {
      details: { field: "name" },
    });
  return type === "cron" ? CRON_TRIGGER_NAME : (name ?? `${type}-${id.slice(-NAME_DIGITS)}`);
}
