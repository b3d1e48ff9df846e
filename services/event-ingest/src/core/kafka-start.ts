/** What is known of a partition when it is taken over. Offsets; undefined where there is none. */
export interface KnownPlaces {
  /** The ledger's mark: the last offset that an invocation covers (L10). */
  mark: number | undefined;
  /** What the consumer group was told to go on from. */
  committed: number | undefined;
  /** The first offset of records that are younger than the trigger. */
  youngest: number | undefined;
  earliest: number;
  end: number;
}

/**
 * Where a partition begins: after the ledger's mark, else where its group was, else where the trigger says. `latest` is
 * what is younger than the trigger, not the end of this moment: a replica that starts again before the first record was
 * published would skip what came meanwhile.
 */
export function toStart(known: KnownPlaces, from: "latest" | "earliest"): number {
  const { mark, committed, youngest, earliest, end } = known;
  if (mark !== undefined) return mark + 1;
  // A place past the end is of a topic that was there before under this name.
  if (committed !== undefined && committed <= end) return committed;
  return from === "earliest" ? earliest : (youngest ?? end);
}

/** The time in a UUIDv7, ms since 1970. */
export const timeOfId = (id: string): number => Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
