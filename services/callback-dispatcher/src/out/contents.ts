import type { Bus } from "@fnbus/bus";
import { decodeEntryPack, type Entry, type LedgerRecord, limits, type OutcomeRecord, streams } from "@fnbus/contract";
import type { CallbackReference } from "../core/callback-reference.ts";
import type { CallbackContent, Copies } from "./copies.ts";

/** What callbacks are made of, by reference. */
export interface Contents {
  /**
   * undefined: the outcome, or the body that it names, is neither in the log nor copied. "busy": too many large bodies are in
   * use. Rejects while the broker is away. What was read is given back by `release`.
   */
  read(reference: CallbackReference): Promise<CallbackContent | "busy" | undefined>;
  release(content: CallbackContent): void;
  /** A pack that was just read from the log: its callbacks will be asked for at once. */
  remember(partition: number, sequence: number, entries: readonly Entry<LedgerRecord>[]): void;
}

/** Packs held until their callbacks are sent, so that none is read from the broker again, nor once for each of them (I11). */
const CACHE_PACKS = 1_024;
const CACHE_BYTES = 32 * 1024 * 1024;
/** Bodies that came from the object store and are on their way, in all. */
const LARGE_BYTES = 64 * 1024 * 1024;

export function createContents(bus: Bus, copies: Copies): Contents {
  const packs = new Map<string, Promise<readonly Entry<LedgerRecord>[]>>();
  const sizes = new Map<string, number>();
  let bytes = 0;
  let largeBytes = 0;

  function keep(key: string, pack: Promise<readonly Entry<LedgerRecord>[]>, size: number): void {
    packs.set(key, pack);
    sizes.set(key, size);
    bytes += size;
    for (const oldest of packs.keys()) {
      if (packs.size <= CACHE_PACKS && bytes <= CACHE_BYTES) break;
      forget(oldest);
    }
  }
  function forget(key: string): void {
    bytes -= sizes.get(key) ?? 0;
    sizes.delete(key);
    packs.delete(key);
  }

  async function readPack(partition: number, sequence: number): Promise<readonly Entry<LedgerRecord>[]> {
    const message = await bus.readAt(streams.outcomes(partition), sequence);
    return message ? decodeEntryPack<unknown, LedgerRecord>(message.data).entries : [];
  }

  function packAt(partition: number, sequence: number): Promise<readonly Entry<LedgerRecord>[]> {
    const key = `${partition}/${sequence}`;
    const known = packs.get(key);
    if (known) return known;
    const pack = readPack(partition, sequence);
    keep(key, pack, limits.packBytes);
    pack.catch(() => forget(key));
    return pack;
  }

  async function withBody(outcome: OutcomeRecord, body: Uint8Array): Promise<CallbackContent | "busy" | undefined> {
    const reference = outcome.result?.bodyReference;
    if (!reference) return { outcome, body };
    if (largeBytes + reference.bytes > LARGE_BYTES) return "busy";
    largeBytes += reference.bytes;
    const stored = await (await bus.objects(reference.bucket)).get(reference.name).catch((error: unknown) => {
      largeBytes -= reference.bytes;
      throw error;
    });
    if (!stored) largeBytes -= reference.bytes;
    return stored && { outcome, body: stored };
  }

  return {
    async read(reference) {
      if (reference.redrive === 0) {
        const entry = (await packAt(reference.partition, reference.sequence))[reference.index];
        if (entry?.meta.type === "outcome" && entry.meta.id === reference.id) {
          const content = await withBody(entry.meta, entry.body);
          if (content) return content;
        }
      }
      const copy = await copies.read("open", reference.partition, reference.id);
      if (!copy) return undefined;
      largeBytes += copy.outcome.result?.bodyReference?.bytes ?? 0;
      return { outcome: copy.outcome, body: copy.body };
    },
    release({ outcome }) {
      largeBytes -= outcome.result?.bodyReference?.bytes ?? 0;
    },
    remember(partition, sequence, entries) {
      const size = entries.reduce((sum, entry) => sum + entry.body.length + 1024, 0);
      keep(`${partition}/${sequence}`, Promise.resolve(entries), size);
    },
  };
}
