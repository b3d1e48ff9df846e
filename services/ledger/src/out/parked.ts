import { type Bus, isBusError } from "@fnbus/bus";
import { type EnvelopePlace, encodeInvocationPack, limits, subjects } from "@fnbus/contract";
import type { Action, CoreEvent, ParkedPlace } from "../core/index.ts";
import type { Frames } from "../envelopes/frames.ts";

type Park = Extract<Action, { do: "park" }>;
interface Copy {
  id: string;
  frame: Buffer;
}

const APPEND_TIMEOUT_MS = 4000;

/** Copies of envelopes in PARKED (L22, L25). */
export interface Parked {
  /** Ends in the event `parked` or `park-failed`. */
  park(action: Park): void;
  /** One dead letter's envelope. Throws what the append throws. */
  keep(id: string, frame: Buffer): Promise<EnvelopePlace>;
}

/** A copy that was stored without an answer stands there twice: the record names one, the other is trimmed with its neighbours. */
export function createParked(
  bus: Bus,
  partition: number,
  frames: Frames,
  events: { apply(event: CoreEvent): void; failed(error: unknown): void },
): Parked {
  async function append(copies: readonly Copy[]): Promise<ParkedPlace[]> {
    const pack = encodeInvocationPack(copies.map(({ frame }) => frame));
    const { sequence } = await bus.append(subjects.parked(partition), pack, { timeoutMs: APPEND_TIMEOUT_MS });
    return copies.map(({ id }, index) => ({ id, sequence, index }));
  }

  async function park({ entries }: Park): Promise<CoreEvent> {
    try {
      const places: ParkedPlace[] = [];
      let copies: Copy[] = [];
      let bytes = 0;
      for (const { id, place } of entries) {
        const frame = await frames.read(id, place);
        if (copies.length === limits.packEntries || (copies.length > 0 && bytes + frame.length > limits.packBytes)) {
          places.push(...(await append(copies)));
          copies = [];
          bytes = 0;
        }
        copies.push({ id, frame });
        bytes += frame.length;
      }
      if (copies.length > 0) places.push(...(await append(copies)));
      return { type: "parked", places };
    } catch (error) {
      events.failed(error);
      return { type: "park-failed" };
    }
  }

  return {
    park: (action) => void park(action).then(events.apply),
    async keep(id, frame) {
      const [copy] = await append([{ id, frame }]);
      return { stream: "parked", sequence: copy!.sequence, index: copy!.index };
    },
  };
}

/** The stream refuses for want of room: a dead letter is then given up, visibly. */
export const isFull = (error: unknown): boolean => isBusError(error, "full", "too_large");
