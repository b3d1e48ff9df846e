import { cpus } from "node:os";
import {
  type Announcement,
  createId,
  decodeEntryPack,
  encodeEntryPack,
  encodeFrame,
  type ResultEntry,
  subjects,
  type WorkEntry,
  type WorkHead,
} from "@fnbus/contract";
import { startPlatform } from "../test/peers/platform.ts";
import { startLedgerProcess } from "../test/peers/process.ts";
import { toMeta } from "../test/peers/publisher.ts";

/**
 * Accept to durable outcome through a ledger process, a real broker with fsync, and an executor that answers at once.
 * Prints JSON and a table. Usage: node services/ledger/bench/path.ts [invocations] [callers]
 */
const total = Number(process.argv[2] ?? 100_000);
const callers = Number(process.argv[3] ?? 512);
const body = Buffer.alloc(1024, "x");

const platform = await startPlatform({ invocations: 512 << 20, outcomes: 512 << 20 });
const ledger = await startLedgerProcess(platform.url, { FNBUS_EXECUTOR_LEASE_MS: "1000" });
const { bus } = platform;
const target = await platform.createFunction("bench", { concurrency: { limit: 1000, perInstance: 1, prestart: 0 } });

const name = `bench-${createId()}`;
const holding = new Map<string, number>();
let epoch = 0;
let applied = 0;
const announcement = (): Announcement => ({
  executor: name,
  pool: "bench",
  capacity: 2000,
  draining: false,
  isolation: "process",
  memoryLimits: false,
  partitions: { 0: { epoch, applied, holds: [...holding] } },
  warm: [],
  calls: {},
});
let durable = 0;
bus.subscribe(subjects.holds(name), (message) => {
  epoch = JSON.parse(Buffer.from(message.data).toString()).epoch;
  applied = 0;
  message.respond(Buffer.from(JSON.stringify(announcement())));
});
bus.subscribe(subjects.work(name), ({ data }) => {
  const { head, entries } = decodeEntryPack<WorkHead, WorkEntry>(data);
  if (head.number !== applied + 1) return;
  applied = head.number;
  const results: { meta: ResultEntry; body: Buffer }[] = [];
  const startedAt = Date.now();
  for (const { meta } of entries) {
    if (meta.type === "durable") {
      for (const id of meta.ids) if (holding.delete(id)) durable++;
    } else if (meta.type === "run") {
      const result = { statusCode: 200, headers: [], startedAt, durationMs: 0, cold: false, executor: name };
      holding.set(meta.id, meta.attempt);
      results.push({ meta: { type: "result", id: meta.id, attempt: meta.attempt, result }, body });
    }
  }
  bus.publish(subjects.results(0), encodeEntryPack({ executor: name, partition: 0, epoch, applied }, results));
});
const announcing = setInterval(
  () => bus.publish(subjects.announceExecutors, Buffer.from(JSON.stringify(announcement()))),
  1000,
);
while ((await ledger.health()).phase !== "owning") await new Promise((resolve) => setTimeout(resolve, 100));
await new Promise((resolve) => setTimeout(resolve, 1500));

const packer = bus.createPacker(subjects.invocations(0));
let accepted = 0;
const begun = performance.now();
const caller = async () => {
  while (accepted < total) {
    accepted++;
    await packer.add(encodeFrame({ meta: toMeta(target), body }));
  }
};
await Promise.all(Array.from({ length: callers }, caller));
const acceptedMs = performance.now() - begun;
while (durable < accepted) await new Promise((resolve) => setTimeout(resolve, 20));
const endedMs = performance.now() - begun;

const found = {
  invocations: accepted,
  callers,
  cpus: cpus().length,
  node: process.version,
  nats: bus.serverVersion,
  acceptedPerSecond: Math.round((accepted / acceptedMs) * 1000),
  endedPerSecond: Math.round((accepted / endedMs) * 1000),
};
process.stdout.write(`${JSON.stringify(found)}\n`);
process.stdout.write(`accepted ${found.acceptedPerSecond}/s, durable outcomes ${found.endedPerSecond}/s\n`);
clearInterval(announcing);
await packer.close();
await ledger.stop();
await platform.stop();
