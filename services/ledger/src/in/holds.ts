import type { Bus } from "@fnbus/bus";
import { subjects } from "@fnbus/contract";
import type { CoreEvent } from "../core/index.ts";
import { toAnnouncement } from "./peers.ts";

/** Within the executor's lease: one that does not answer is waited for until that is over (L21). */
const TRIES = 4;
const TIMEOUT_MS = 1000;

/** Asks an executor what it holds (L21). Its answer is an event; silence is none. */
export async function askHolds(
  bus: Bus,
  question: { executor: string; partition: number; epoch: number },
  apply: (event: CoreEvent) => void,
): Promise<void> {
  const { executor, partition, epoch } = question;
  const data = Buffer.from(JSON.stringify({ partition, epoch }));
  for (let tried = 0; tried < TRIES; tried++) {
    try {
      const answer = await bus.request(subjects.holds(executor), data, { timeoutMs: TIMEOUT_MS });
      return apply({ type: "announcement", announcement: toAnnouncement(answer.data) });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS / TRIES));
    }
  }
}
