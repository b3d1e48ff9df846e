/** A small generator of pseudo-random numbers (xoshiro128**): one seed, one run. */
export interface Random {
  /** 0 <= n < 1 */
  next(): number;
  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** 32 hex digits in the shape of a UUID of this version. */
  id(version: 7 | 8): string;
}

export function createRandom(seed: number): Random {
  const s = new Uint32Array(4);
  let mixed = seed >>> 0;
  for (let word = 0; word < 4; word++) {
    mixed = (mixed + 0x9e3779b9) >>> 0;
    let z = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    s[word] = z ^ (z >>> 16);
  }
  const word = (): number => {
    const x = Math.imul(s[1]!, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = (s[3]! << 11) | (s[3]! >>> 21);
    return result;
  };
  const next = () => word() / 2 ** 32;
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  const hex = () => word().toString(16).padStart(8, "0");
  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick: (from) => from[between(0, from.length - 1)]!,
    id: (version) => {
      const b = hex();
      const c = hex();
      return `${hex()}-${b.slice(0, 4)}-${version}${b.slice(5)}-8${c.slice(1, 4)}-${c.slice(4)}${hex()}`;
    },
  };
}
