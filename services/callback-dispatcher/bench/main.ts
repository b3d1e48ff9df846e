/**
 * Outcome to callback, against a naive loop of BullMQ `add` and a worker that POSTs, in turn on the same servers.
 *
 *     node services/callback-dispatcher/bench/main.ts [callbacks] [rounds]
 *
 * Prints JSON, and a table on stderr. Both keep Redis durable (append-only file synced at each write); only the dispatcher keeps the
 * log of outcomes and a record of every try, synced too. Flags of node (`--cpu-prof`) are handed to what is measured.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { connectBus } from "@fnbus/bus";
import { platformStorage } from "@fnbus/contract";
import { startNats, startRedis } from "@fnbus/testing";
import { toOutcome } from "../test/outcome.ts";
import { putOutcomes } from "../test/platform.ts";

const COUNT = Number(process.argv[2] ?? 10_000);
const ROUNDS = Number(process.argv[3] ?? 3);
/** Before the clock starts, for both: a program that has just begun is not what is compared. */
const WARM_UP = 2_000;
const BODY = Buffer.alloc(1024, "x");
const SETTLE_MS = 1_000;

const [nats, redis] = await Promise.all([startNats(), startRedis()]);
const bus = await connectBus({ servers: nats.url, name: "bench" });
await bus.provision(platformStorage({ partitions: 1, replicas: 1 }));

let received = 0;
let warmAt = 0;
let onWarm = () => {};
let onLast = () => {};
const receiver = createServer((request, response) => {
  request.resume();
  response.writeHead(204).end();
  received++;
  if (received === WARM_UP) {
    warmAt = performance.now();
    onWarm();
  }
  if (received === WARM_UP + COUNT) onLast();
});
receiver.listen(0, "127.0.0.1");
await once(receiver, "listening");
const hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;

/** Runs a program beside this one until the receiver has so many callbacks. Returns callbacks a second. */
async function measure(
  path: string,
  env: Record<string, string>,
  feed?: (count: number) => Promise<void>,
): Promise<number> {
  received = 0;
  const isWarm = new Promise<void>((resolve) => {
    onWarm = resolve;
  });
  const allReceived = new Promise<void>((resolve) => {
    onLast = resolve;
  });
  const program = fileURLToPath(new URL(path, import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, program], {
    env: { ...env, REDIS_URL: redis.url, FNBUS_HOOK: hook, FNBUS_COUNT: String(WARM_UP + COUNT) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout.resume(), "data");
  await new Promise((done) => setTimeout(done, SETTLE_MS));
  await feed?.(WARM_UP);
  await isWarm;
  // The naive loop feeds itself, and goes on without a pause.
  const began = feed ? performance.now() : warmAt;
  await feed?.(COUNT);
  await allReceived;
  const rate = COUNT / ((performance.now() - began) / 1000);
  await new Promise((done) => setTimeout(done, SETTLE_MS));
  child.kill("SIGTERM");
  await once(child, "exit");
  return Math.round(rate);
}

const ways = {
  naive: () => measure("./naive.ts", {}),
  naive64: () => measure("./naive.ts", { FNBUS_CALLERS: "64" }),
  dispatcher: () =>
    measure(
      "../src/main.ts",
      {
        NATS_URL: nats.url,
        FNBUS_SIGNING_SECRET: "a secret of the benchmark",
        FNBUS_CALLBACK_ALLOW_LOOPBACK: "true",
      },
      async (count) => {
        await putOutcomes(
          bus,
          Array.from({ length: count }, () => toOutcome(hook)),
          BODY,
        );
      },
    ),
};
const rounds: Record<keyof typeof ways, number>[] = [];
for (let round = 0; round < ROUNDS; round++)
  rounds.push({ naive: await ways.naive(), naive64: await ways.naive64(), dispatcher: await ways.dispatcher() });

const median = (list: number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
const result = {
  callbacks: COUNT,
  bodyBytes: BODY.length,
  rounds,
  timesNaive: Number(median(rounds.map((round) => round.dispatcher / round.naive)).toFixed(2)),
  timesNaive64: Number(median(rounds.map((round) => round.dispatcher / round.naive64)).toFixed(2)),
  load: loadavg()[0],
  machine: `${cpus().length} × ${cpus()[0]?.model}`,
  node: process.version,
  nats: nats.version,
};
console.log(JSON.stringify(result));
const row = (title: string, way: keyof typeof ways) =>
  `| ${title} | ${rounds.map((round) => round[way]).join(" | ")} |\n`;
console.error(
  `| callbacks a second |${rounds.map((_, at) => ` round ${at + 1} |`).join("")}\n| --- |${rounds.map(() => " ---: |").join("")}\n${row("naive BullMQ loop", "naive")}${row("the same, 64 adding at once", "naive64")}${row("dispatcher", "dispatcher")}`,
);
receiver.closeAllConnections();
receiver.close();
await bus.drain();
await Promise.all([nats.stop(), redis.stop()]);
