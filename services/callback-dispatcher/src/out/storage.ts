import { type Bus, isBusError } from "@fnbus/bus";
import { streams } from "@fnbus/contract";
import type { Copies, CopyHead } from "./copies.ts";

/** Given-up callbacks can be redriven for so long. */
const KEPT_MS = 14 * 24 * 3_600_000;
const AT_ONCE = 16;

export async function sweepGivenUp(copies: Copies, now: number): Promise<void> {
  for (const { partition, id, at } of await copies.list("given-up"))
    if (at + KEPT_MS < now) await copies.drop("given-up", partition, id);
}

/** Hands over every copy of an open callback: what a keeper starts from, beside the logs. */
export async function readOpenCopies(copies: Copies, take: (head: CopyHead) => void): Promise<void> {
  const list = await copies.list("open");
  for (let at = 0; at < list.length; at += AT_ONCE) {
    const heads = list.slice(at, at + AT_ONCE).map(({ partition, id }) => copies.read("open", partition, id));
    for (const head of await Promise.all(heads)) if (head) take(head);
  }
}

/** Whether OUTCOMES needs room: then callbacks make way however young they are. */
export async function isHalfFull(bus: Bus, partition: number): Promise<boolean> {
  try {
    const { bytes, maxBytes } = await bus.streamState(streams.outcomes(partition));
    return maxBytes > 0 && bytes > maxBytes / 2;
  } catch (error) {
    if (isBusError(error)) return false;
    throw error;
  }
}
