import { describe, expect, it } from "vitest";
import { runSeed } from "../simulation/run.ts";
import { type NamedCase, namedCases } from "../simulation/world.ts";
import type { Protection } from "../src/core/index.ts";

const SEEDS = 250;
/** Seeds within which the loss of any protection must show. */
const MUTANT_SEEDS = 800;
const protections: Protection[] = [
  "L5",
  "L7",
  "L9",
  "L10",
  "L13",
  "L15",
  "L16",
  "L17",
  "L18",
  "L19",
  "L20",
  "L21",
  "L22",
  "L23",
  "L26",
];

describe("the simulated ledger", () => {
  it(`keeps I2, I3, I7, I8 and its limits through ${SEEDS} seeds of faults, and meets every named case`, () => {
    const reached = new Map<NamedCase, number>();
    const failures: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const failure = runSeed({ seed, reached });
      if (failure) failures.push(`seed ${seed}: ${failure}`);
    }
    expect(failures).toEqual([]);
    expect(namedCases.filter((name) => !reached.get(name))).toEqual([]);
  }, 60_000);

  it("runs the same way from the same seed", () => {
    const counts = [1, 2].map(() => {
      const reached = new Map<NamedCase, number>();
      for (let seed = 1; seed <= 5; seed++) runSeed({ seed, reached });
      return [...reached];
    });
    expect(counts[0]).toEqual(counts[1]);
  });

  it.each(protections)(
    "finds the loss of %s",
    (protection) => {
      const without = new Set([protection]);
      let found: string | undefined;
      for (let seed = 1; seed <= MUTANT_SEEDS && !found; seed++) found = runSeed({ seed, without });
      expect(found).toBeDefined();
    },
    60_000,
  );
});
