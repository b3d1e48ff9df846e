import type { ObjectStore } from "@fnbus/bus";
import type { Action, CoreEvent, StoredCheckpoint } from "../core/index.ts";

type Store = Extract<Action, { do: "store-checkpoint" }>;

/** Objects of the CHECKPOINTS bucket, below `<partition>/` (L7). */
export interface Checkpoints {
  /** Ends in the event `checkpoint-stored` or `checkpoint-failed`. */
  store(action: Store): void;
  /** Deletes the partition's objects that are older than these and not among them. */
  sweep(named: readonly string[]): void;
}

export function createCheckpoints(
  store: ObjectStore,
  partition: number,
  events: { apply(event: CoreEvent): void; failed(error: unknown): void },
): Checkpoints {
  async function put({ object, parts }: Store): Promise<CoreEvent> {
    try {
      for (const part of parts) await store.put(part.object, part.bytes);
      return { type: "checkpoint-stored", object };
    } catch (error) {
      events.failed(error);
      return { type: "checkpoint-failed", object };
    }
  }

  async function sweep(named: readonly string[]): Promise<void> {
    const kept = new Set(named);
    const present = (await store.list()).filter(({ name }) => name.startsWith(`${partition}/`));
    const newest = Math.max(...present.filter(({ name }) => kept.has(name)).map(({ at }) => at));
    for (const { name, at } of present) if (at < newest && !kept.has(name)) await store.delete(name);
  }

  return {
    store: (action) => void put(action).then(events.apply),
    // What stays behind costs room only; the next sweep meets it.
    sweep: (named) => void sweep(named).catch(events.failed),
  };
}

/** The core names a checkpoint's own object after its epoch and the sequences that it has come to. */
const stateName = /^\d+\/state-\d+-(\d+)-(\d+)$/;

/** Looks again so often where the owner swept what was just listed: it keeps one checkpoint at all times. */
const LOOKS = 10;

/**
 * Checkpoints that are whole, the furthest first. Each is a true state of the past, whether its reference was appended
 * or not: which can be used is decided by what the logs still hold (L7). One that was swept while it was read has a
 * newer one, which is then looked for.
 */
export async function* readCheckpoints(
  store: Pick<ObjectStore, "get" | "list">,
  partition: number,
  segmentsOf: (state: Uint8Array) => string[],
): AsyncGenerator<StoredCheckpoint> {
  for (let look = 1; look <= LOOKS; look++) {
    const states = await listStates(store, partition);
    for (const name of states) {
      const state = await store.get(name);
      const checkpoint = state && (await withSegments(store, state, segmentsOf(state)));
      if (checkpoint) yield checkpoint;
    }
    const present = new Set(await listStates(store, partition));
    if (states.every((name) => present.has(name)) && present.size === states.length) return;
  }
}

async function listStates(store: Pick<ObjectStore, "list">, partition: number): Promise<string[]> {
  return (await store.list())
    .filter(({ name }) => name.startsWith(`${partition}/`))
    .map(({ name, at }) => ({ name, at, outcomes: Number(stateName.exec(name)?.[2] ?? Number.NaN) }))
    .filter(({ outcomes }) => !Number.isNaN(outcomes))
    .sort((a, b) => b.outcomes - a.outcomes || b.at - a.at)
    .map(({ name }) => name);
}

async function withSegments(store: Pick<ObjectStore, "get">, state: Uint8Array, names: string[]) {
  const segments = new Map<string, Uint8Array>();
  for (const name of names) {
    const bytes = await store.get(name);
    if (!bytes) return undefined;
    segments.set(name, bytes);
  }
  return { state, segments };
}
