import { type Bus, type BusError, isBusError, type ObjectStore } from "@fnbus/bus";
import { buckets, decodeEntryPack, encodeEntryPack, type OutcomeRecord } from "@fnbus/contract";
import type { CallbackReference } from "../core/callback-reference.ts";

/** An outcome with the body of its result, for as long as its callback needs it. */
export interface CallbackContent {
  outcome: OutcomeRecord;
  body: Uint8Array;
}

export interface CopyHead {
  reference: CallbackReference;
  /** Ends on RECORDS up to here belong to an earlier delivery. */
  afterRecord: number;
}

/** `open`: the outcome may be trimmed before the callback ends (L26). `given-up`: kept for a redrive. */
export type CopyKind = "open" | "given-up";

/** Copies of callbacks in a store of their own: objects `<kind>/<partition>/<id>`. */
export interface Copies {
  save(kind: CopyKind, head: CopyHead, content: CallbackContent): Promise<void>;
  read(kind: CopyKind, partition: number, id: string): Promise<(CopyHead & CallbackContent) | undefined>;
  drop(kind: CopyKind, partition: number, id: string): Promise<void>;
  list(kind: CopyKind): Promise<{ partition: number; id: string; at: number }[]>;
}

export async function createCopies(bus: Bus): Promise<Copies> {
  const store: ObjectStore = await bus.objects(buckets.callbacks);
  const nameOf = (kind: CopyKind, partition: number, id: string): string => `${kind}/${partition}/${id}`;
  return {
    save: (kind, head, { outcome, body }) =>
      store.put(
        nameOf(kind, head.reference.partition, head.reference.id),
        encodeEntryPack(head, [{ meta: outcome, body }]),
      ),
    async read(kind, partition, id) {
      const bytes = await store.get(nameOf(kind, partition, id));
      if (!bytes) return undefined;
      const { head, entries } = decodeEntryPack<CopyHead, OutcomeRecord>(bytes);
      return entries[0] && { ...head, outcome: entries[0].meta, body: entries[0].body };
    },
    async drop(kind, partition, id) {
      await store.delete(nameOf(kind, partition, id)).catch((error: BusError) => {
        if (!isBusError(error, "not_found")) throw error;
      });
    },
    async list(kind) {
      const found: { partition: number; id: string; at: number }[] = [];
      for (const { name, at } of await store.list()) {
        const [ofKind, partition, id] = name.split("/");
        if (ofKind === kind && id !== undefined) found.push({ partition: Number(partition), id, at });
      }
      return found;
    },
  };
}
