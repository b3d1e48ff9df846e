/** A UUID as four 32-bit words: what typed arrays keep instead of text (L28). */
export type Words = Uint32Array;

const HEX: string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Reads an id's usual text, or 32 hex digits, into `into`. */
export function readWords(text: string, into: Words): Words {
  if (text.length === 36) {
    into[0] = Number.parseInt(text.slice(0, 8), 16);
    into[1] = Number.parseInt(text.slice(9, 13) + text.slice(14, 18), 16);
    into[2] = Number.parseInt(text.slice(19, 23) + text.slice(24, 28), 16);
    into[3] = Number.parseInt(text.slice(28, 36), 16);
  } else {
    for (let word = 0; word < 4; word++) into[word] = Number.parseInt(text.slice(word * 8, word * 8 + 8), 16);
  }
  return into;
}

const hex = (word: number): string =>
  HEX[word >>> 24]! + HEX[(word >>> 16) & 255]! + HEX[(word >>> 8) & 255]! + HEX[word & 255]!;

/** The id's usual text of the four words from `at` on. */
export function wordsToId(words: Words, at: number): string {
  const b = hex(words[at + 1]!);
  const c = hex(words[at + 2]!);
  return `${hex(words[at]!)}-${b.slice(0, 4)}-${b.slice(4)}-${c.slice(0, 4)}-${c.slice(4)}${hex(words[at + 3]!)}`;
}

/** Where an id begins to be looked for. All four words count: an attacker chooses keys, but not their digests. */
export function hashWords(words: Words, at: number): number {
  let hash = Math.imul(words[at]! ^ 0x9e3779b9, 0x85ebca6b);
  hash = Math.imul(hash ^ words[at + 1]!, 0xc2b2ae35) ^ (hash >>> 15);
  hash = Math.imul(hash ^ words[at + 2]!, 0x27d4eb2f) ^ (hash >>> 13);
  hash = Math.imul(hash ^ words[at + 3]!, 0x165667b1);
  return (hash ^ (hash >>> 16)) >>> 0;
}

export const sameWords = (a: Words, atA: number, b: Words, atB: number): boolean =>
  a[atA + 3] === b[atB + 3] && a[atA + 2] === b[atB + 2] && a[atA + 1] === b[atB + 1] && a[atA] === b[atB];
