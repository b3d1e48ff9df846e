import type { Bus } from "@fnbus/bus";
import { encodeEntryPack, type GiveUp, subjects } from "@fnbus/contract";
import type { Logger } from "@fnbus/telemetry";
import type { GivenUp } from "./types.ts";

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

/** Records of what sources gave up (I6). The source waits for each: it is the bound of what waits here. */
export interface GiveUps {
  add(given: GivenUp): Promise<void>;
  readonly count: number;
  /** Gives up the waiting itself: what was not stored is thrown at who waits, and its source keeps it. */
  close(): void;
}

export function createGiveUps(bus: Bus, service: string, logger: Logger): GiveUps {
  const stopping = new AbortController();
  let count = 0;
  return {
    async add({ trigger, what, reason, details }) {
      const meta: GiveUp = {
        ...{ type: "give-up", at: Date.now(), service, what, reason },
        details: { space: trigger.space, trigger: trigger.name, ...details },
      };
      const pack = encodeEntryPack({ service }, [{ meta }]);
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
        stopping.signal.throwIfAborted();
        try {
          await bus.append(subjects.records(0), pack);
          break;
        } catch (error) {
          logger.warn({ err: error, what, trigger: trigger.id }, "the record of a give-up is not stored yet");
        }
        await pause(pauseMs, stopping.signal);
      }
      count++;
    },
    get count() {
      return count;
    },
    close: () => stopping.abort(new Error("stopping")),
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener("abort", over);
  });
}
