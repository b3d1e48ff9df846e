import { decodeFrameHead, type EnvelopePlace, type LedgerRecord, type RegisteredFunction } from "@fnbus/contract";
import type { OutcomeDraft, RecordDraft } from "../core/index.ts";
import { type Frames, isUnreadable, toMeta } from "../envelopes/frames.ts";
import { factsWithoutEnvelope, toFacts, toOutcomeRecord } from "./outcome-record.ts";

/** Turns the core's drafts into the records that are written. */
export interface OutcomeComposer {
  /** Same drafts, same records: a pack that is appended again after a doubt is the same bytes (L20). */
  compose(drafts: readonly RecordDraft[]): Promise<LedgerRecord[]>;
  /** These are durable: nothing of them is asked for again. */
  settled(drafts: readonly RecordDraft[]): void;
}

export interface ComposerParts {
  frames: Frames;
  functionById(registryId: string): RegisteredFunction | undefined;
  /** Broker's time stamp of the envelope's message; undefined where the core no longer holds it. */
  acceptedAt(id: string): number | undefined;
  /** Copies a dead letter's envelope to PARKED and gives its place there (L25); the old place where it cannot. */
  keepDeadLetter(id: string, place: EnvelopePlace, frame: Buffer): Promise<EnvelopePlace>;
}

export function createComposer(parts: ComposerParts): OutcomeComposer {
  const kept = new Map<string, EnvelopePlace>();

  async function keep(draft: OutcomeDraft, frame: Buffer): Promise<EnvelopePlace> {
    if (draft.state !== "dead-lettered" || draft.place.stream === "parked") return draft.place;
    const place = kept.get(draft.id) ?? (await parts.keepDeadLetter(draft.id, draft.place, frame));
    kept.set(draft.id, place);
    return place;
  }

  function toRecord(draft: OutcomeDraft, frame: Buffer, place: EnvelopePlace): LedgerRecord {
    const meta = toMeta(frame);
    const facts = toFacts(meta, decodeFrameHead(frame));
    return toOutcomeRecord(draft, facts, parts.acceptedAt(draft.id) ?? meta.acceptedAt, place);
  }

  async function composeSlowly(draft: OutcomeDraft): Promise<LedgerRecord> {
    try {
      const frame = await parts.frames.read(draft.id, draft.place);
      return toRecord(draft, frame, await keep(draft, frame));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      const facts = factsWithoutEnvelope(parts.functionById(draft.registryId));
      return toOutcomeRecord(draft, facts, parts.acceptedAt(draft.id) ?? draft.endedAt, draft.place);
    }
  }

  return {
    async compose(drafts) {
      const records: LedgerRecord[] = [];
      for (const draft of drafts) {
        if (draft.type !== "outcome") {
          records.push(draft);
          continue;
        }
        const frame = draft.state === "dead-lettered" ? undefined : parts.frames.read(draft.id, draft.place);
        records.push(Buffer.isBuffer(frame) ? toRecord(draft, frame, draft.place) : await composeSlowly(draft));
      }
      return records;
    },
    settled(drafts) {
      for (const draft of drafts) if (draft.type === "outcome") kept.delete(draft.id);
    },
  };
}
