/** Answers since the start, by code ("ok" or one of the error table's). */
export interface Answers {
  count(code: string): void;
  all(): Iterable<[code: string, count: number]>;
}

export function createAnswers(): Answers {
  const counts = new Map<string, number>();
  return {
    count: (code) => void counts.set(code, (counts.get(code) ?? 0) + 1),
    all: () => counts,
  };
}
