import { type Bus, isBusError } from "@fnbus/bus";
import { type Entry, encodeEntryPack, type LedgerRecord, type OutcomeHead, subjects } from "@fnbus/contract";
import type { Action, CoreEvent, RecordDraft } from "../core/index.ts";
import type { OutcomeComposer } from "./compose.ts";

type Append = Extract<Action, { do: "append" }>;

/** Longer than a leader's election; over it the tail says what became of the pack (L20). */
const APPEND_TIMEOUT_MS = 4000;
/** A stream that refuses is asked again after this. */
const REFUSED_PAUSE_MS = 200;
/** Packs of ours that have not come back by the log: one is in flight, the reader is milliseconds behind. */
const OWN_PACKS = 64;

export interface OwnPack {
  head: OutcomeHead;
  entries: Entry<LedgerRecord>[];
}

const NO_BODY = new Uint8Array(0);

/** Fenced appends to OUTCOMES (L20). The core keeps one in flight. */
export interface Outcomes {
  append(action: Append): void;
  /** A pack that we appended ourselves, so that reading it back costs no decoding; once. */
  takeOwn(sequence: number): OwnPack | undefined;
}

export interface OutcomesEvents {
  apply(event: CoreEvent): void;
  /** ms from the decision to the broker's acknowledgement, and records in the pack. */
  appended(latencyMs: number, records: number): void;
  notStored(error: unknown): void;
}

export function createOutcomes(
  bus: Bus,
  partition: number,
  composer: OutcomeComposer,
  events: OutcomesEvents,
): Outcomes {
  const own = new Map<number, OwnPack>();

  async function append({ expected, head, records }: Append): Promise<CoreEvent> {
    const begun = performance.now();
    const { epoch } = head;
    let entries: Entry<LedgerRecord>[];
    try {
      const composed = await composer.compose(records);
      entries = composed.map((meta, index) => ({ meta, body: toBody(records[index]) }));
    } catch (error) {
      return notStored(epoch, error);
    }
    try {
      const { sequence } = await bus.append(subjects.outcomes(partition), encodeEntryPack(head, entries), {
        expectedLastSubjectSequence: expected,
        timeoutMs: APPEND_TIMEOUT_MS,
      });
      composer.settled(records);
      own.set(sequence, { head, entries });
      for (const oldest of own.keys()) {
        if (own.size <= OWN_PACKS) break;
        own.delete(oldest);
      }
      events.appended(performance.now() - begun, records.length);
      return { type: "appended", epoch, sequence };
    } catch (error) {
      if (isBusError(error, "wrong_sequence")) return { type: "append-failed", epoch, how: "refused" };
      if (isBusError(error) && error.isInDoubt) return { type: "append-failed", epoch, how: "in-doubt" };
      return notStored(epoch, error);
    }
  }

  async function notStored(epoch: number, error: unknown): Promise<CoreEvent> {
    events.notStored(error);
    await new Promise((resolve) => setTimeout(resolve, REFUSED_PAUSE_MS));
    return { type: "append-failed", epoch, how: "not-stored" };
  }

  return {
    append: (action) => void append(action).then(events.apply),
    takeOwn(sequence) {
      const pack = own.get(sequence);
      own.delete(sequence);
      return pack;
    },
  };
}

const toBody = (draft: RecordDraft | undefined): Uint8Array =>
  draft?.type === "outcome" && draft.body ? draft.body : NO_BODY;
