import type { Subscription } from "@fnbus/bus";
import { decodeEntryPack, type InvocationState, type OutcomeRecord, streams } from "@fnbus/contract";
import type { PartitionParts } from "./app-partition.ts";
import type { CoreView } from "./core/index.ts";
import { type Frames, isUnreadable } from "./envelopes/frames.ts";
import { answerQuestions } from "./in/questions.ts";
import { createLookUp } from "./look-up/look-up.ts";

/** Unknown only after the logs' ends were read (L29); a log that takes longer is answered as unavailable. */
const CATCH_UP_MS = 5000;

/** The look-up of a partition: open while this process owns it. */
export interface Questions {
  open(): void;
  close(): void;
  ended(record: OutcomeRecord, bytes: number, sequence: number): void;
}

interface QuestionParts {
  view: CoreView;
  frames: Frames;
  ask(id: string): Promise<InvocationState | undefined>;
  reached(sequences: { invocations: number; outcomes: number }, signal: AbortSignal): Promise<boolean>;
  failed(error: unknown): void;
}

export function openQuestions(
  { bus, partition, projection, registry }: Pick<PartitionParts, "bus" | "partition" | "projection" | "registry">,
  { view, frames, ask, reached, failed }: QuestionParts,
): Questions {
  let subscription: Subscription | undefined;
  async function readEnds(): Promise<{ invocations: number; outcomes: number }> {
    const [invocations, outcomes] = await Promise.all([
      bus.streamState(streams.invocations(partition)),
      bus.streamState(streams.outcomes(partition)),
    ]);
    return { invocations: invocations.messages === 0 ? 0 : invocations.last, outcomes: outcomes.last };
  }
  const lookUp = createLookUp({
    view,
    frames,
    projection,
    functionById: (id) => registry.functionById(id),
    cancel: ask,
    logsRead: async () => reached(await readEnds(), AbortSignal.timeout(CATCH_UP_MS)),
    async caughtUp() {
      const ends = await readEnds();
      const both = await Promise.all([
        reached(ends, AbortSignal.timeout(CATCH_UP_MS)),
        projection.passed(ends.outcomes, CATCH_UP_MS),
      ]);
      return both.every(Boolean);
    },
    projected: () => projection.passed(view.next().outcomes - 1, CATCH_UP_MS),
    async readResult(sequence, index) {
      const message = await bus.readAt(streams.outcomes(partition), sequence);
      return message && decodeEntryPack(message.data).entries[index]?.body;
    },
    async readKept(id, place) {
      try {
        return await frames.read(id, place);
      } catch (error) {
        if (isUnreadable(error)) return undefined;
        throw error;
      }
    },
  });
  return {
    ended: lookUp.ended,
    open() {
      subscription ??= answerQuestions(bus, partition, { answer: lookUp.answer, failed });
    },
    close() {
      subscription?.unsubscribe();
      subscription = undefined;
      lookUp.close();
    },
  };
}
