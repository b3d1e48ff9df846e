import type { Bus } from "@fnbus/bus";
import { encodeEntryPack, limits, type ResultEntry, type ResultsHead, subjects } from "@fnbus/contract";
import type { HeldWork, ResultsDue } from "../core/held-work.ts";

interface Part {
  meta: ResultEntry;
  body?: Uint8Array;
}

/** What an entry takes beside its body, at least. */
const ENTRY_BYTES = 512;
const REPEAT_CHECK_MS = 250;

/** Publishes what a partition's owner is to hear: how far packs are applied, refusals, results until they are durable (L15, L16). */
export function createResultPublisher(bus: Bus, executor: string, held: HeldWork) {
  /** Partitions to be answered at the end of this turn, with what was refused. */
  const answers = new Map<number, ResultEntry[]>();
  let planned = false;

  function publish(partition: number, parts: Part[]): void {
    const { epoch, applied } = held.progress(partition);
    const head: ResultsHead = { executor, partition, epoch, applied };
    try {
      bus.publish(subjects.results(partition), encodeEntryPack(head, parts));
    } catch {
      // Not connected: results are repeated, and an unanswered pack is sent again.
    }
  }

  function flush(): void {
    planned = false;
    const due = new Map<number, Part[]>();
    for (const group of held.due(performance.now() + 1)) due.set(group.partition, toParts(group));
    for (const [partition, refused] of answers)
      due.set(partition, [...refused.map((meta) => ({ meta })), ...(due.get(partition) ?? [])]);
    answers.clear();
    for (const [partition, parts] of due) for (const pack of cutIntoPacks(parts)) publish(partition, pack);
  }

  function plan(): void {
    if (planned) return;
    planned = true;
    setImmediate(flush);
  }

  const repeating = setInterval(flush, REPEAT_CHECK_MS);
  return {
    answer(partition: number, refused: ResultEntry[]): void {
      answers.set(partition, [...(answers.get(partition) ?? []), ...refused]);
      plan();
    },
    /** A result became due. */
    plan,
    stop(): void {
      clearInterval(repeating);
      flush();
    },
  };
}
export type ResultPublisher = ReturnType<typeof createResultPublisher>;

const toParts = (group: ResultsDue): Part[] =>
  group.results.map(({ id, attempt, result, body }) => ({ meta: { type: "result", id, attempt, result }, body }));

/** At least one pack, even where there is nothing but progress to tell; each within the limits of a pack. */
function cutIntoPacks(parts: Part[]): Part[][] {
  const packs: Part[][] = [[]];
  let bytes = 0;
  for (const part of parts) {
    const size = ENTRY_BYTES + (part.body?.length ?? 0);
    const current = packs.at(-1)!;
    if (current.length > 0 && (current.length >= limits.packEntries || bytes + size > limits.packBytes)) {
      packs.push([part]);
      bytes = size;
    } else {
      current.push(part);
      bytes += size;
    }
  }
  return packs;
}
