import { fileURLToPath } from "node:url";
import { type Bus, connectBus, type Lease } from "@fnbus/bus";
import { assertSilence, type Silence, startChild, until } from "@fnbus/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Bench, bucket, serverBinaries, sleep, startBench } from "./servers.ts";

const LEASE_MS = 1_000;
const never = new AbortController().signal;
const program = fileURLToPath(new URL("lease-holder.ts", import.meta.url));

/** A holder in a process of its own: what it said, and when, on the clock that all processes of a machine share. */
async function startHolder(servers: string) {
  const child = await startChild(process.execPath, [program, servers, "other", String(LEASE_MS)]);
  const lines: { at: bigint; word: string }[] = [];
  const read = () => {
    lines.length = 0;
    for (const line of child.output().split("\n")) {
      const [, at, word] = /^(\d+) (\w+)$/.exec(line) ?? [];
      if (at !== undefined) lines.push({ at: BigInt(at), word: word! });
    }
    return lines;
  };
  return {
    child,
    read,
    last: () => read().at(-1)?.word,
    saidSince: (at: bigint) => read().filter((line) => line.at > at),
  };
}

// On the newest server: what a lease rests on, one writer of a revision, is proved on each in buckets.server.test.ts.
describe("a lease (L19)", () => {
  let bench: Bench;
  let other: Bus;
  let silence: Silence;
  const acquire = (bus: Bus, holder: string, signal = never) =>
    bus.acquireLease({ bucket: "LEASES", key: "partition.0", holder, leaseMs: LEASE_MS, value: { epoch: 1 } }, signal);

  beforeEach(async () => {
    bench = await startBench(serverBinaries[0]!);
    await bench.bus.provision({ streams: [], keyValues: [bucket("LEASES")], objects: [] });
    other = await connectBus({ servers: bench.nats.url, name: "second", connectTimeoutMs: 5_000 });
    silence = assertSilence();
  });
  afterEach(async () => {
    await other.drain();
    await bench.stop();
    silence.assert();
  });

  it("of a process that is frozen goes to another, and the frozen one never thinks again that it is safe", async () => {
    const holder = await startHolder(bench.nats.url);
    try {
      await until("held and safe", () => holder.last() === "safe");
      const taking = acquire(bench.bus, "taker");
      await sleep(LEASE_MS * 1.5);
      expect(holder.last()).toBe("safe");
      holder.child.freeze();
      const frozenAt = performance.now();
      const lease = await taking;
      const heldAt = process.hrtime.bigint();
      expect(performance.now() - frozenAt).toBeGreaterThan(LEASE_MS * 0.6);
      holder.child.thaw();
      await until("it says that it lost", () => holder.saidSince(heldAt).some(({ word }) => word === "lost"));
      const words = holder.saidSince(heldAt).map(({ word }) => word);
      expect(words).toContain("unsafe");
      expect(words).not.toContain("safe");
      expect(lease.isSafe()).toBe(true);
      await lease.release();
    } finally {
      await holder.child.kill();
    }
  });
  it("is safe with one holder at a time while the broker freezes and comes back", async () => {
    const { bus, nats } = bench;
    const held: Lease[] = [await acquire(bus, "first")];
    const waiting = new AbortController();
    const taking = acquire(other, "second", waiting.signal)
      .then((lease) => held.push(lease))
      .catch(() => undefined);
    let most = 0;
    let unsafe = 0;
    const sampling = setInterval(() => {
      const safe = held.filter((lease) => lease.isSafe()).length;
      most = Math.max(most, safe);
      if (safe === 0) unsafe++;
    }, 5);
    nats.freeze();
    await until("nobody is safe", () => unsafe > 0, LEASE_MS * 2);
    expect(held[0]!.isSafe()).toBe(false);
    await sleep(LEASE_MS);
    nats.thaw();
    await until("somebody is safe again", () => held.some((lease) => lease.isSafe()));
    await sleep(LEASE_MS);
    clearInterval(sampling);
    expect(most).toBe(1);
    waiting.abort();
    await taking;
    for (const lease of held) await lease.release();
  });
  it("stays with its holder when the broker is killed and comes back, however long a stand-by was cut off", async () => {
    const { bus, nats } = bench;
    const lease = await acquire(bus, "first");
    let isLost = false;
    lease.onLost(() => {
      isLost = true;
    });
    let isTaken = false;
    const waiting = new AbortController();
    const taking = acquire(other, "second", waiting.signal).then(
      () => {
        isTaken = true;
      },
      () => undefined,
    );
    await sleep(LEASE_MS / 2);
    await nats.kill();
    await sleep(LEASE_MS * 1.5);
    expect(lease.isSafe()).toBe(false);
    await nats.restart();
    await until("renewed", () => lease.isSafe());
    await sleep(LEASE_MS * 1.5);
    expect([isLost, isTaken, lease.isSafe()]).toEqual([false, false, true]);
    waiting.abort();
    await taking;
    await lease.release();
  });
  it("is free at once when it is released, and carries the new holder's value", async () => {
    const first = await acquire(bench.bus, "first");
    await first.setValue({ epoch: 7 });
    const leases = await bench.bus.keyValue("LEASES");
    const value = async () => JSON.parse(Buffer.from((await leases.get("partition.0"))!.value).toString());
    expect(await value()).toMatchObject({ holder: "first", epoch: 7 });
    const taking = acquire(other, "second");
    await sleep(LEASE_MS / 4);
    const releasedAt = performance.now();
    await first.release();
    expect(first.isSafe()).toBe(false);
    const second = await taking;
    expect(performance.now() - releasedAt).toBeLessThan(LEASE_MS / 2);
    expect(await value()).toMatchObject({ holder: "second", epoch: 1 });
    await second.release();
  });
  it("is waited for until the signal ends it", async () => {
    const lease = await acquire(bench.bus, "first");
    const waiting = new AbortController();
    const taking = acquire(other, "second", waiting.signal);
    waiting.abort(new Error("enough"));
    await expect(taking).rejects.toThrow("enough");
    await lease.release();
  });
});
