import type { AppendOptions, Bus } from "@fnbus/bus";
import {
  type Envelope,
  encodeInvocationPack,
  FnbusError,
  type FrameOptions,
  limits,
  PACK_HEAD_BYTES,
  subjects,
  type Verdict,
} from "@fnbus/contract";
import type { StoredFrame, ToFrame } from "./frames.ts";
import { isUnknown, publishUntil } from "./publish-until.ts";
import { VERDICT_TIMEOUT_MS, type Verdicts } from "./verdicts.ts";

type Ordered = readonly { envelope: Envelope; frame: FrameOptions }[];

/**
 * Publishes what one source counts: packs of its own, one in flight, each after the verdicts on the one before (L10).
 * A pack without verdicts is repeated whole; its ids say that it is the same.
 */
export function createOrdered(
  bus: Bus,
  verdicts: Verdicts,
  toFrame: ToFrame,
  options: AppendOptions & { totalMs: number },
): (envelopes: Ordered) => Promise<Verdict[]> {
  /** The first envelopes, as many as one pack holds. */
  async function takeFrames(envelopes: Ordered): Promise<StoredFrame[]> {
    const frames: StoredFrame[] = [];
    let bytes = PACK_HEAD_BYTES;
    try {
      for (const { envelope, frame } of envelopes.slice(0, limits.packEntries)) {
        // A large body is stored beside the pack; its size does not count.
        const inline = envelope.body.length <= limits.inlineBodyBytes ? envelope.body.length : 0;
        if (frames.length > 0 && bytes + inline > limits.packBytes) break;
        const stored = await toFrame(envelope, { ...frame, verdict: true });
        if (frames.length > 0 && bytes + stored.frame.length > limits.packBytes) {
          stored.drop();
          break;
        }
        frames.push(stored);
        bytes += stored.frame.length;
      }
    } catch (error) {
      for (const { drop } of frames) drop();
      throw error;
    }
    return frames;
  }

  async function publishPack(envelopes: Ordered, untilMs: number): Promise<Verdict[]> {
    const frames = await takeFrames(envelopes);
    const metas = envelopes.slice(0, frames.length).map(({ envelope }) => envelope.meta);
    const { id, partition } = metas[0]!;
    const pack = encodeInvocationPack(frames.map(({ frame }) => frame));
    for (let attempt = 1; performance.now() < untilMs; attempt++) {
      const patience = new AbortController();
      const asked = metas.map((meta) => verdicts.next(meta.id, patience.signal));
      try {
        await publishUntil(() => bus.append(subjects.invocations(partition), pack, options), id, untilMs);
      } catch (error) {
        patience.abort();
        if (!isUnknown(error)) for (const { drop } of frames) drop();
        throw error;
      }
      const leftMs = Math.max(0, Math.min(VERDICT_TIMEOUT_MS, untilMs - performance.now()));
      const late = setTimeout(() => patience.abort(), leftMs);
      const judged = await Promise.all(asked);
      clearTimeout(late);
      if (judged.some((verdict) => verdict === undefined)) continue;
      return (judged as Verdict[]).map((verdict, index) => {
        const isOurs = verdict.verdict === "known" && attempt > 1 && verdict.state !== "dropped";
        if (verdict.verdict !== "new" && !isOurs) frames[index]!.drop();
        return isOurs ? { id: verdict.id, verdict: "new" } : verdict;
      });
    }
    throw new FnbusError("verdict_missing", undefined, { details: { id } });
  }

  return async (envelopes) => {
    const untilMs = performance.now() + options.totalMs;
    const judged: Verdict[] = [];
    while (judged.length < envelopes.length) {
      const verdictsOfPack = await publishPack(envelopes.slice(judged.length), untilMs);
      judged.push(...verdictsOfPack);
      if (verdictsOfPack.some(({ verdict }) => verdict === "refused")) break;
    }
    return judged;
  };
}
