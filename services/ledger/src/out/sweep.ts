import type { ObjectStore } from "@fnbus/bus";
import type { FoundInvocation } from "../projection/queries.ts";

/** Younger objects may be of an envelope that is not published yet, or of a result that is not appended yet. */
const YOUNG_MS = 3_600_000;
const objectName = /^(\d+)\/([0-9a-f-]{36})\//;

export interface SweepParts {
  now(): number;
  isUnfinished(id: string): boolean;
  /** From the projection, which has read OUTCOMES to its end. */
  find(id: string): Promise<FoundInvocation | undefined>;
  firstOutcome: number;
  firstParked: number;
}

/** Deletes large bodies that nothing names any longer (L24). Returns how many. */
export async function sweepBodies(store: ObjectStore, partition: number, parts: SweepParts): Promise<number> {
  let deleted = 0;
  for (const { name, at } of await store.list()) {
    const match = objectName.exec(name);
    if (!match || Number(match[1]) !== partition || parts.now() - at < YOUNG_MS) continue;
    if (await isNamed(match[2]!, parts)) continue;
    await store.delete(name);
    deleted++;
  }
  return deleted;
}

/** By its envelope while unfinished, by its outcome while that stands, by a dead letter that can be redriven. */
async function isNamed(id: string, parts: SweepParts): Promise<boolean> {
  if (parts.isUnfinished(id)) return true;
  const found = await parts.find(id);
  if (!found) return false;
  if (found.sequence >= parts.firstOutcome) return true;
  return found.place?.stream === "parked" && found.place.sequence >= parts.firstParked;
}
