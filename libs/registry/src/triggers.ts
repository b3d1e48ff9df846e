import { type Bus, isBusError } from "@fnbus/bus";
import { buckets, FnbusError, type RegisteredTrigger, type Trigger } from "@fnbus/contract";
import { decode, encode, warnUnreadable, write } from "./entries.ts";
import type { Triggers } from "./types.ts";

const bucketKey = (space: string, name: string): string => `trigger.${space}.${name}`;

/** Triggers of this process: reads from memory, which a watch feeds, writes to the broker with an expected revision. */
export async function createTriggers(bus: Bus): Promise<Triggers> {
  const bucket = await bus.keyValue(buckets.triggers);
  /** By the bucket's key. */
  const held = new Map<string, RegisteredTrigger>();
  const bySpace = new Map<string, Map<string, RegisteredTrigger>>();
  const byId = new Map<string, RegisteredTrigger>();
  const listeners = new Set<(id: string, now: RegisteredTrigger | undefined) => void>();
  /** Newest revision of each key, of removed ones too: a watch that is behind must not bring them back. */
  const applied = new Map<string, number>();

  const tell = (id: string, now: RegisteredTrigger | undefined) => {
    for (const listener of [...listeners]) listener(id, now);
  };
  const apply = (key: string, revision: number, now: RegisteredTrigger | undefined) => {
    if (revision <= (applied.get(key) ?? 0)) return;
    applied.set(key, revision);
    const [, space = "", name = ""] = key.split(".");
    const before = held.get(key);
    // Removed and made again under its name: another trigger.
    if (before && before.trigger.id !== now?.trigger.id) {
      held.delete(key);
      byId.delete(before.trigger.id);
      bySpace.get(space)?.delete(name);
      tell(before.trigger.id, undefined);
    }
    if (!now) return;
    held.set(key, now);
    byId.set(now.trigger.id, now);
    const names = bySpace.get(space) ?? new Map<string, RegisteredTrigger>();
    bySpace.set(space, names.set(name, now));
    tell(now.trigger.id, now);
  };
  const watch = await bucket.watch(({ key, value, revision }) => {
    try {
      apply(key, revision, value && { trigger: decode<Trigger>(value), revision });
    } catch (error) {
      warnUnreadable(key, error);
    }
    // The watch has seen the removal: nothing older comes after it.
    if (!value) applied.delete(key);
  });
  const store = async (trigger: Trigger, publish: (key: string, value: Buffer) => Promise<number>) => {
    const key = bucketKey(trigger.space, trigger.name);
    const revision = await write(publish(key, encode(trigger)));
    const registered = { trigger, revision };
    apply(key, revision, registered);
    return registered;
  };

  return {
    triggersOf: (space) => [...(bySpace.get(space)?.values() ?? [])],
    triggerByName: (space, name) => held.get(bucketKey(space, name)),
    triggerById: (id) => byId.get(id),
    allTriggers: () => byId.values(),
    onTrigger(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async createTrigger(trigger) {
      try {
        return await store(trigger, bucket.create);
      } catch (error) {
        if (!isBusError(error, "exists")) throw error;
        throw new FnbusError(trigger.type === "cron" ? "cron_trigger_exists" : "trigger_exists");
      }
    },
    async updateTrigger(trigger, revision) {
      try {
        return await store(trigger, (key, value) => bucket.update(key, value, revision));
      } catch (error) {
        if (isBusError(error, "wrong_sequence")) throw new FnbusError("revision_conflict");
        throw error;
      }
    },
    async deleteTrigger(space, name) {
      const key = bucketKey(space, name);
      const found = await write(bucket.get(key));
      if (!found) throw new FnbusError("trigger_not_found");
      try {
        apply(key, await write(bucket.delete(key, found.revision)), undefined);
      } catch (error) {
        if (isBusError(error, "wrong_sequence")) throw new FnbusError("revision_conflict");
        throw error;
      }
      return decode<Trigger>(found.value);
    },
    stop: () => watch.stop(),
  };
}
