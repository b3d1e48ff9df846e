import { setTimeout as pause } from "node:timers/promises";
import type { Bus } from "@fnbus/bus";
import { encodeEntryPack, type GiveUp, limits, subjects } from "@fnbus/contract";
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

interface Waiting {
  meta: GiveUp;
  settle: { resolve(): void; reject(error: unknown): void };
}

export function createGiveUps(bus: Bus, service: string, logger: Logger): GiveUps {
  const stopping = new AbortController();
  const { signal } = stopping;
  let waiting: Waiting[] = [];
  let storing = false;
  let count = 0;

  /** Stores what waits, pack after pack; tries each until it is stored. Throws when stopping. */
  async function store(): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; waiting.length > 0; ) {
      signal.throwIfAborted();
      const some = waiting.slice(0, limits.packEntries);
      try {
        await bus.append(subjects.records(0), encodeEntryPack({ service }, some));
      } catch (error) {
        logger.warn({ err: error, what: some[0]!.meta.what, records: some.length }, "give-ups are not recorded yet");
        await pause(pauseMs, undefined, { signal });
        pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
        continue;
      }
      waiting = waiting.slice(some.length);
      count += some.length;
      pauseMs = FIRST_PAUSE_MS;
      for (const { settle } of some) settle.resolve();
    }
  }
  /** Those that come while a pack is in flight are the next one: after an outage every schedule may have one. */
  async function run(): Promise<void> {
    storing = true;
    try {
      await store();
    } catch (error) {
      const left = waiting;
      waiting = [];
      for (const { settle } of left) settle.reject(error);
    }
    storing = false;
  }

  return {
    add({ trigger, what, reason, details }) {
      const meta: GiveUp = {
        ...{ type: "give-up", at: Date.now(), service, what, reason },
        details: { space: trigger.space, trigger: trigger.name, ...details },
      };
      return new Promise((resolve, reject) => {
        waiting.push({ meta, settle: { resolve, reject } });
        if (!storing) void run();
      });
    },
    get count() {
      return count;
    },
    close: () => stopping.abort(new Error("stopping")),
  };
}
