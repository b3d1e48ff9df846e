import { setTimeout as sleep } from "node:timers/promises";
import type { FunctionDefinition } from "@fnbus/contract";
import { until } from "@fnbus/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ExecutorPeer, startExecutor } from "./peers/executor.ts";
import { countOutcomes } from "./peers/outcomes.ts";
import { type Platform, startPlatform } from "./peers/platform.ts";
import { type LedgerProcess, startLedgerProcess } from "./peers/process.ts";
import { createPublisher, type Publisher } from "./peers/publisher.ts";

const LEASE_MS = 1000;
const EXECUTOR_LEASE_MS = 2000;
const variables = {
  FNBUS_LEDGER_LEASE_MS: String(LEASE_MS),
  FNBUS_EXECUTOR_LEASE_MS: String(EXECUTOR_LEASE_MS),
};

describe("two ledgers of one partition", () => {
  let platform: Platform;
  let ledgers: LedgerProcess[];
  let publisher: Publisher;
  let executors: ExecutorPeer[];
  let work: FunctionDefinition;

  beforeEach(async () => {
    platform = await startPlatform();
    ledgers = await Promise.all([
      startLedgerProcess(platform.url, variables),
      startLedgerProcess(platform.url, variables),
    ]);
    publisher = createPublisher(platform.bus);
    work = await platform.createFunction("work");
    const run = async () => {
      await sleep(30);
      return "done";
    };
    executors = [startExecutor(platform.bus, "work", run, 8), startExecutor(platform.bus, "work", run, 8)];
    await until("one of them owns the partition", async () => (await owner()) !== undefined);
  });
  afterEach(async () => {
    for (const executor of executors) executor.stop();
    await publisher.close();
    await Promise.all(ledgers.map((ledger) => ledger.kill()));
    await platform.stop();
  });

  async function owner(): Promise<LedgerProcess | undefined> {
    const healths = await Promise.all(ledgers.map((ledger) => ledger.health().catch(() => undefined)));
    return ledgers[healths.findIndex((health) => health?.phase === "owning")];
  }

  const acceptFor = async (ms: number): Promise<string[]> => {
    const ids: string[] = [];
    for (const end = performance.now() + ms; performance.now() < end; await sleep(5))
      ids.push(await publisher.accept(work, "body"));
    return ids;
  };
  const allEnded = (ids: string[]) =>
    until(
      "everything accepted has ended",
      async () => {
        const counts = await countOutcomes(platform.bus);
        return ids.every((id) => counts.has(id));
      },
      20_000,
    );

  it("the stand-by goes on within the lease when the owner is killed: nothing lost, nothing run twice (I3, I5, L21)", async () => {
    // A stand-by that has not heard executors for one of their leases is cold and waits for one (L21).
    await sleep(EXECUTOR_LEASE_MS + 500);
    const accepting = acceptFor(3000);
    await sleep(700);
    const killed = await owner();
    const killedAt = performance.now();
    await killed!.kill();
    ledgers = ledgers.filter((ledger) => ledger !== killed);
    await until("the stand-by owns the partition", async () => (await owner()) !== undefined);
    const tookMs = Math.round(performance.now() - killedAt);
    const ids = await accepting;
    await allEnded(ids);
    expect([...(await countOutcomes(platform.bus)).values()].every((count) => count === 1)).toBe(true);
    const starts = executors.flatMap(({ started }) => started.map(({ id }) => id));
    expect(starts.toSorted()).toEqual(ids.toSorted());
    // Detection after a whole lease without a renewal, then a poll, the epoch, and the executors' answers.
    expect(tookMs).toBeLessThan(LEASE_MS * 2.5);
  });

  it("an owner that was frozen longer than its lease appends nothing beside the new one (L19, L20)", async () => {
    const accepting = acceptFor(4000);
    await sleep(500);
    const frozen = await owner();
    frozen!.freeze();
    const other = ledgers.find((ledger) => ledger !== frozen)!;
    await until("the other owns the partition", async () => (await other.health()).phase === "owning");
    frozen!.thaw();
    const ids = await accepting;
    await allEnded(ids);
    expect((await frozen!.health()).role).toBe("stand-by");
    expect([...(await countOutcomes(platform.bus)).values()].every((count) => count === 1)).toBe(true);
    const starts = executors.flatMap(({ started }) => started.map(({ id }) => id));
    expect(starts.toSorted()).toEqual(ids.toSorted());
  });

  it("a broker that is killed and comes back loses nothing that was accepted (I1, I5)", async () => {
    const before = await acceptFor(500);
    await platform.broker.kill();
    await sleep(300);
    await platform.broker.restart();
    await until("the broker takes publishes again", () =>
      publisher.accept(work, "body").then(
        () => true,
        () => false,
      ),
    );
    await allEnded(before);
    expect([...(await countOutcomes(platform.bus)).values()].every((count) => count === 1)).toBe(true);
  });
});
