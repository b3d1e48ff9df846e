/** What the gateway counts of itself: cheap enough for every request, read at each scrape. */
export interface Counts {
  /** An answer, by door (sync, async, smartworks, management, oauth) and code ("ok" or an error's). */
  answered(door: string, code: string): void;
  invoked(registryId: string): void;
  forget(registryId: string): void;
  answers(): Iterable<[door: string, code: string, count: number]>;
  invocationsOf(registryId: string): number;
}

export function createCounts(): Counts {
  const doors = new Map<string, Map<string, number>>();
  const functions = new Map<string, number>();
  return {
    answered(door, code) {
      const codes = doors.get(door) ?? new Map<string, number>();
      doors.set(door, codes);
      codes.set(code, (codes.get(code) ?? 0) + 1);
    },
    invoked(registryId) {
      functions.set(registryId, (functions.get(registryId) ?? 0) + 1);
    },
    forget: (registryId) => void functions.delete(registryId),
    *answers() {
      for (const [door, codes] of doors) for (const [code, count] of codes) yield [door, code, count];
    },
    invocationsOf: (registryId) => functions.get(registryId) ?? 0,
  };
}
