/**
 * Many schedules on one scheduler, against a real NATS that fsyncs and a real ledger:
 *   node services/scheduler/bench/ticks.ts [schedules=100000] [minutes=2] [spread|together]
 * Prints how long the start takes, memory, and how late ticks are stored: spread over the minute in texts and zones of
 * their own, then the hard case, all at the same second.
 */
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  buckets,
  createId,
  decodeFrame,
  decodeInvocationPack,
  defaultSettings,
  platformStorage,
  streams,
  type Trigger,
} from "@fnbus/contract";
import { createRegistry, createTriggers } from "@fnbus/registry";
import { type Child, connectTestBus, freePorts, type NatsServer, startChild, startNats, until } from "@fnbus/testing";

const schedules = Number(process.argv[2] ?? 100_000);
const minutes = Number(process.argv[3] ?? 2);
const only = process.argv[4];
const FUNCTIONS = 50;
const MINUTE = 60_000;
const START_MS = 300_000;
const GB = 1024 ** 3;
const zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo"];
const say = (text: string) => process.stdout.write(`${text}\n`);

/** Every minute at second n, in a text and zone that hardly another has: what is written differs, all days are meant. */
const spread = (n: number) => {
  const [day, month] = [(Math.floor(n / 360) % 30) + 1, (Math.floor(n / 10_800) % 11) + 1];
  const days = `1-${day},${day + 1}-31`;
  return {
    schedule: `${n % 60} * * ${days} 1-${month},${month + 1}-12 *`,
    timezone: zones[Math.floor(n / 60) % zones.length]!,
  };
};
const together = () => ({ schedule: "30 * * * * *" });

async function start(service: "ledger" | "scheduler", nats: NatsServer): Promise<Child & { url: string }> {
  const [port] = await freePorts(1);
  const main = fileURLToPath(new URL(`../../${service}/src/main.ts`, import.meta.url));
  const settings = { NATS_URL: nats.url, FNBUS_OPS_PORT: String(port), FNBUS_LOG_LEVEL: "warn" };
  const assignments = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const child = await startChild("/usr/bin/env", [...assignments, process.execPath, main]);
  const url = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${url}/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(`${service} is ready`, isReady, START_MS);
  return { ...child, url };
}

const waitingAt = async (url: string): Promise<number> =>
  ((await (await fetch(`${url}/health`)).json()) as { schedules: number }).schedules;
const rssOf = ({ pid }: { pid: number }): number => {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kb) / 1024);
};
const cpuOf = ({ pid }: { pid: number }): number => {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ").slice(11, 13).map(Number);
  return (user! + system!) * 10;
};
const at = (sorted: number[], share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

async function run(name: string, toConfig: (n: number) => { schedule: string; timezone?: string }): Promise<void> {
  say(`\n${schedules} schedules, ${name}`);
  const nats = await startNats({ maxFileStore: "50GB" });
  const bus = await connectTestBus(nats);
  const sizes = { invocations: 2 * GB, outcomes: GB, parked: GB, records: GB / 4, triggers: GB / 4 };
  await bus.provision(platformStorage({ partitions: 1, replicas: 1, sizes }));
  await bus.objects(buckets.checkpoints);
  const [registry, triggers] = [await createRegistry(bus), await createTriggers(bus)];
  await registry.createSpace({ name: "bench", createdAt: Date.now() });
  const ledger = await start("ledger", nats);
  for (let n = 0; n < FUNCTIONS; n++) {
    await registry.createFunction({
      ...{ id: createId(), space: "bench", name: `f${n}`, partition: 0, status: "Running" },
      settings: { ...defaultSettings, runtime: "nodejs", handler: "index.handler" },
      ...{ createdAt: Date.now(), updatedAt: Date.now() },
    });
  }
  const toTrigger = (n: number): Trigger => ({
    ...{ id: createId(), incarnation: createId(), space: "bench", name: `t${n}`, description: "", enabled: true },
    ...{ type: "timer", function: { name: `f${n % FUNCTIONS}`, qualifier: "latest" }, config: toConfig(n) },
    ...{ createdAt: Date.now(), updatedAt: Date.now() },
  });
  for (let n = 0; n < schedules; n += 500) {
    const count = Math.min(500, schedules - n);
    await Promise.all(Array.from({ length: count }, (_, index) => triggers.createTrigger(toTrigger(n + index))));
  }

  const startedAt = performance.now();
  const scheduler = await start("scheduler", nats);
  const up = async () => (await waitingAt(scheduler.url)) >= schedules * 0.97;
  await until("all schedules are up", up, START_MS);
  const tookSeconds = (performance.now() - startedAt) / 1000;
  const cpuSeconds = cpuOf(scheduler) / 1000;
  say(`  up after ${tookSeconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of CPU), ${rssOf(scheduler)} MB`);

  // From a whole minute on: what was due during the start is not counted.
  const from = Math.ceil((Date.now() + 1000) / MINUTE) * MINUTE;
  const to = from + minutes * MINUTE;
  await pause(from - Date.now());
  const processes = { scheduler, ledger, nats };
  const cpuBefore = Object.values(processes).map(cpuOf);
  const measuredAt = performance.now();
  const late: number[] = [];
  const { last } = await bus.streamState(streams.invocations(0));
  const reader = await bus.readLog(streams.invocations(0), last + 1, (batch) => {
    for (const { data, at: storedAt } of batch) {
      const pack = Buffer.from(data);
      for (const { offset } of decodeInvocationPack(pack)) {
        const tick = decodeFrame(pack, offset).meta.position!.last;
        if (tick >= from && tick < to) late.push(storedAt - tick);
      }
    }
  });
  await until("all ticks", () => late.length >= schedules * minutes, minutes * MINUTE + 60_000);
  late.sort((one, other) => one - other);
  const seconds = (performance.now() - measuredAt) / 1000;
  const cpus = Object.entries(processes).map(([of, child], index) => {
    const share = (cpuOf(child) - cpuBefore[index]!) / 10 / seconds;
    return `${of} ${share.toFixed(0)} %`;
  });
  say(
    `  ${late.length} ticks in ${minutes} min, stored after: p50 ${at(late, 0.5)} ms, p99 ${at(late, 0.99)} ms, last ${late.at(-1)} ms`,
  );
  say(`  scheduler: ${rssOf(scheduler)} MB; of a core: ${cpus.join(", ")}`);

  await reader.stop();
  for (const one of [registry, triggers]) one.stop();
  await bus.drain();
  for (const child of [scheduler, ledger]) await child.stop();
  await nats.stop();
}

if (only !== "together") await run("spread over the minute, each in a text and zone of its own", spread);
if (only !== "spread") await run("all at the same second", together);
