import { type Bus, isBusError } from "@fnbus/bus";
import { subjects } from "@fnbus/contract";
import type { CoreEvent } from "../core/index.ts";
import { toAnnouncement } from "./peers.ts";

const TIMEOUT_MS = 1000;

/**
 * Tells an executor the partition's epoch and asks what it holds (L21). Its answer is an event; one that does not answer
 * is asked again by the core, or waited for until its lease is over.
 */
export async function askHolds(
  bus: Bus,
  question: { executor: string; partition: number; epoch: number },
  apply: (event: CoreEvent) => void,
): Promise<void> {
  const { executor, partition, epoch } = question;
  const data = Buffer.from(JSON.stringify({ partition, epoch }));
  try {
    const answer = await bus.request(subjects.holds(executor), data, { timeoutMs: TIMEOUT_MS });
    apply({ type: "announcement", announcement: toAnnouncement(answer.data) });
  } catch (error) {
    if (!isBusError(error) && !(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
  }
}
