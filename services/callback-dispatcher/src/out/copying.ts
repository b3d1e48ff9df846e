import { toReference } from "../core/callback-reference.ts";
import type { OpenCallback, OpenCallbacks } from "../core/open-callbacks.ts";
import type { Contents } from "./contents.ts";
import type { Copies } from "./copies.ts";

/** Copied in one round of a partition, at least one message of OUTCOMES. */
const ROUND = 500;
const AT_ONCE = 8;

/**
 * One round: copies the oldest open callbacks of a partition, tried or not, while `isInTheWay` says so, so that trimming
 * OUTCOMES never waits for a dead host (L26).
 */
export async function copyOldest(
  partition: number,
  ports: { open: OpenCallbacks; contents: Contents; copies: Copies },
  isInTheWay: (since: number) => boolean,
): Promise<void> {
  for (let count = 0; count < ROUND; ) {
    const oldest = ports.open.oldest(partition);
    if (!oldest?.callbacks[0] || !isInTheWay(oldest.callbacks[0].since)) return;
    for (let at = 0; at < oldest.callbacks.length; at += AT_ONCE)
      await Promise.all(oldest.callbacks.slice(at, at + AT_ONCE).map((callback) => copy(callback, ports)));
    ports.open.copied(partition, oldest.sequence);
    count += oldest.callbacks.length;
    // Ended while it was copied: the end found no copy to drop.
    for (const { id } of oldest.callbacks) if (!ports.open.get(id)) await ports.copies.drop("open", partition, id);
  }
}

async function copy(callback: OpenCallback, ports: { contents: Contents; copies: Copies }): Promise<void> {
  const content = await ports.contents.read(callback);
  if (content === "busy") throw new Error("too many large bodies are in use");
  if (!content) return;
  try {
    await ports.copies.save("open", { reference: toReference(callback), afterRecord: callback.afterRecord }, content);
  } finally {
    ports.contents.release(content);
  }
}
