import { describe, expect, it } from "vitest";
import type { StoredCheckpoint } from "../src/core/index.ts";
import { readCheckpoints } from "../src/out/checkpoints.ts";
import { createRebuilds } from "../src/rebuilds.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("building a partition anew", () => {
  it("happens once however often a gap is told meanwhile, so that no two run side by side", async () => {
    const done: string[] = [];
    const rebuild = createRebuilds({
      afterMs: 5,
      stop: async () => {
        await pause(20);
        done.push("stop");
      },
      start: async () => {
        await pause(20);
        done.push("start");
      },
      isOver: () => false,
      failed: () => {},
    });
    for (let told = 0; told < 5; told++) {
      rebuild(0);
      await pause(6);
    }
    await pause(60);
    expect(done).toEqual(["stop", "start"]);
  });

  it("is tried again when it fails, and heard of", async () => {
    let tried = 0;
    const failures: unknown[] = [];
    const started = Promise.withResolvers<void>();
    const rebuild = createRebuilds({
      afterMs: 1,
      stop: async () => {},
      async start() {
        if (++tried < 3) throw new Error("the broker is away");
        started.resolve();
      },
      isOver: () => false,
      failed: (error) => failures.push(error),
    });
    rebuild(0);
    await started.promise;
    expect(failures).toHaveLength(2);
  });
});

describe("reading checkpoints (L7)", () => {
  it("finds the newer one where the owner swept what was listed", async () => {
    const bytes = Buffer.from("state");
    const objects = new Map([["0/state-1-5-5", bytes]]);
    const store = {
      list: async () => [...objects.keys()].map((name) => ({ name, bytes: 5, at: 1 })),
      async get(name: string) {
        if (objects.delete("0/state-1-5-5")) objects.set("0/state-1-9-9", bytes);
        return objects.get(name);
      },
    };
    const found: StoredCheckpoint[] = [];
    for await (const checkpoint of readCheckpoints(store, 0, () => [])) found.push(checkpoint);
    expect(found).toHaveLength(1);
  });
});
