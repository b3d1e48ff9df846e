import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { createSpawner } from "../src/out/spawner.ts";

const spawner = createSpawner(fileURLToPath(new URL("../runtime/spawner.mjs", import.meta.url)));
afterAll(() => spawner.stop());

const launch = { command: "/bin/sleep", args: ["60"], env: {} };
const parentOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ")[1]);

test("a spawner that is killed takes its runners along, fails the starts that it had, and the next ones work", async () => {
  const first = await spawner.start(launch);
  process.kill(parentOf(first.pid), "SIGKILL");
  // Dead, and nothing told us so yet: what is sent now cannot arrive.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  const starts: Promise<string>[] = [];
  for (let round = 0; round < 20; round++) {
    first.kill();
    starts.push(
      spawner.start(launch).then(
        (child) => {
          child.kill();
          return "started";
        },
        () => "failed",
      ),
    );
    await sleep(5);
  }
  expect((await first.exited).signal).toBe("SIGKILL");
  expect((await Promise.all(starts)).at(-1)).toBe("started");
});
