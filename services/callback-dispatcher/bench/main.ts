/**
 * Outcome to callback, against a naive loop of BullMQ `add` and a worker that POSTs, in the same run on the same servers.
 *
 *     node services/callback-dispatcher/bench/main.ts [callbacks]
 *
 * Prints JSON, and a table on stderr. Both keep Redis durable (append-only file synced at each write); only the dispatcher keeps the
 * log of outcomes and a record of every try, synced too.
 */
import { spawn } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { connectBus } from "@fnbus/bus";
import { platformStorage } from "@fnbus/contract";
import { startNats, startRedis } from "@fnbus/testing";
import { toOutcome } from "../test/outcome.ts";
import { putOutcomes, startReceiver } from "../test/platform.ts";

const COUNT = Number(process.argv[2] ?? 10_000);
const BODY = Buffer.alloc(1024, "x");

const [nats, redis] = await Promise.all([startNats(), startRedis()]);
const bus = await connectBus({ servers: nats.url, name: "bench" });
await bus.provision(platformStorage({ partitions: 1, replicas: 1 }));
const hook = await startReceiver();

/** Runs a program beside this one until the receiver has so many callbacks, and gives their rate. */
async function measure(path: string, env: Record<string, string>, start: () => Promise<void>): Promise<number> {
  hook.received.length = 0;
  const child = spawn(process.execPath, [fileURLToPath(new URL(path, import.meta.url))], {
    env: { ...env, REDIS_URL: redis.url, FNBUS_HOOK: hook.url, FNBUS_COUNT: String(COUNT) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
  await new Promise((done) => setTimeout(done, 1_000));
  const began = performance.now();
  await start();
  while (hook.received.length < COUNT) await new Promise((done) => setTimeout(done, 20));
  const rate = COUNT / ((hook.received[COUNT - 1]!.at - (env.NATS_URL ? began : hook.received[0]!.at)) / 1000);
  child.kill("SIGTERM");
  await new Promise((done) => child.once("exit", done));
  return Math.round(rate);
}

const naive = await measure("./naive.ts", {}, async () => {});
const naive64 = await measure("./naive.ts", { FNBUS_CALLERS: "64" }, async () => {});
const dispatcher = await measure(
  "../src/main.ts",
  {
    NATS_URL: nats.url,
    FNBUS_SIGNING_SECRET: "a secret of the benchmark",
    FNBUS_CALLBACK_ALLOW_LOOPBACK: "true",
  },
  async () => {
    await putOutcomes(
      bus,
      Array.from({ length: COUNT }, () => toOutcome(hook.url)),
      BODY,
    );
  },
);

const result = {
  callbacks: COUNT,
  bodyBytes: BODY.length,
  naivePerSecond: naive,
  naive64PerSecond: naive64,
  dispatcherPerSecond: dispatcher,
  ratio: Number((dispatcher / naive).toFixed(2)),
  machine: `${cpus().length} × ${cpus()[0]?.model}`,
  node: process.version,
  nats: nats.version,
};
console.log(JSON.stringify(result));
console.error(
  `| way | callbacks a second |\n| --- | ---: |\n| naive BullMQ loop | ${naive} |\n| the same, 64 adding at once | ${naive64} |\n| dispatcher | ${dispatcher} |`,
);
await hook.stop();
await bus.drain();
await Promise.all([nats.stop(), redis.stop()]);
