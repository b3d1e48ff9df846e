/**
 * Messages a second from a broker to durable invocations, beside a bare MQTT.js subscriber, in turn in the same run.
 *
 *     node services/mqtt-bridge/bench/main.ts [messages] [rounds]
 *
 * `live`: they are published meanwhile, as it is in life; the broker and who publishes take their part of the machine.
 * `waiting`: they wait in a session, and come as fast as they can be taken. Prints JSON, and a table on stderr. The bridge's time is
 * that of the log: from its first pack to its last, each synced to disk before it is acknowledged.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { streams, subjects } from "@fnbus/contract";
import { startMosquitto, until } from "@fnbus/testing";
import { connectDevice, startPlatform } from "../test/platform.ts";

const COUNT = Number(process.argv[2] ?? 100_000);
const ROUNDS = Number(process.argv[3] ?? 3);
const CONNECTIONS = [1, 4];
const PAYLOAD = Buffer.alloc(256, "x");
const IN_FLIGHT = 500;
const WAIT_MS = 120_000;
const TICK_MS = 10;

const [platform, broker] = await Promise.all([
  startPlatform(),
  startMosquitto({ settings: ["max_inflight_messages 0", "autosave_on_changes false", "autosave_interval 0"] }),
]);
const device = await connectDevice(broker.port);
await platform.addFunction("f", "bench/#");

const run = (path: string, env: Record<string, string>) =>
  spawn(process.execPath, [...process.execArgv, fileURLToPath(new URL(path, import.meta.url))], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
/** User and system time of a process, ms. */
const cpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
};
async function fill(): Promise<void> {
  for (let at = 0; at < COUNT; at += IN_FLIGHT)
    await Promise.all(
      Array.from({ length: Math.min(IN_FLIGHT, COUNT - at) }, (_, n) =>
        device.publishAsync(`bench/line${n % 10}/temp`, PAYLOAD, { qos: 1 }),
      ),
    );
}

interface Measured {
  perSecond: number;
  /** CPU of the process for a message, µs. */
  cpuMicros: number;
}
const toMeasured = (ms: number, cpuMs: number): Measured => ({
  perSecond: Math.round(COUNT / (ms / 1000)),
  cpuMicros: Math.round((cpuMs / COUNT) * 1000),
});

async function measureBare(isLive: boolean): Promise<Measured> {
  const session = await connectDevice(broker.port, {
    ...{ clientId: "bare", clean: false, properties: { sessionExpiryInterval: 3600 } },
  });
  await session.subscribeAsync("bench/#", { qos: 1 });
  await session.endAsync();
  if (!isLive) await fill();
  const child = run("./bare.ts", { FNBUS_PORT: String(broker.port), FNBUS_CLIENT: "bare", FNBUS_COUNT: String(COUNT) });
  const said = text(child.stdout);
  if (isLive) {
    await once(child.stdout, "data");
    await fill();
  }
  const { ms, cpuMs } = JSON.parse((await said).trim().split("\n").at(-1)!);
  const last = await connectDevice(broker.port, { clientId: "bare", clean: true });
  await last.endAsync();
  return toMeasured(ms, cpuMs);
}

async function measureBridge(isLive: boolean, connections: number): Promise<Measured> {
  const trigger = await platform.addTrigger({ port: broker.port, topics: "bench/#", connections });
  const start = async () => {
    const child = run("../src/main.ts", platform.variables());
    const isWhole = async () => JSON.stringify(await platform.reports(trigger)).includes(`"open":${connections}`);
    await until("all sessions", isWhole, WAIT_MS);
    return child;
  };
  const stop = async (child: Awaited<ReturnType<typeof start>>) => {
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  let child = await start();
  const { last } = await platform.bus.streamState(streams.invocations(0));
  if (!isLive) {
    await stop(child);
    await fill();
    child = await start();
  } else await fill();
  const isDone = async () => (await platform.reports(trigger))[0]?.published === COUNT;
  await until("all are published", isDone, WAIT_MS);
  const cpuMs = cpuOf(child.pid!);
  await stop(child);
  const stored = await platform.bus.readSubject(streams.invocations(0), subjects.invocations(0), {
    maxMessages: 1_000_000,
  });
  const mine = stored.filter(({ sequence }) => sequence > last);
  await platform.bus.trim(streams.invocations(0), mine.at(-1)!.sequence + 1);
  await platform.triggers.deleteTrigger(trigger.space, trigger.name);
  return toMeasured(mine.at(-1)!.at - mine[0]!.at, cpuMs);
}

const rounds: Record<string, Measured>[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const measured: Record<string, Measured> = {};
  for (const isLive of [true, false]) {
    const how = isLive ? "live" : "waiting";
    measured[`${how} bare`] = await measureBare(isLive);
    for (const connections of CONNECTIONS)
      measured[`${how} bridge ${connections}`] = await measureBridge(isLive, connections);
  }
  rounds.push(measured);
}
const median = (list: number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
const share = (how: string, connections: number) =>
  Number(
    median(
      rounds.map((round) => round[`${how} bridge ${connections}`]!.perSecond / round[`${how} bare`]!.perSecond),
    ).toFixed(2),
  );
console.log(
  JSON.stringify({
    ...{ messages: COUNT, payloadBytes: PAYLOAD.length, rounds },
    shareOfBare: Object.fromEntries(
      ["live", "waiting"].flatMap((how) => CONNECTIONS.map((count) => [`${how} ${count}`, share(how, count)])),
    ),
    ...{ load: loadavg()[0], machine: `${cpus().length} × ${cpus()[0]?.model}`, node: process.version },
    nats: platform.nats.version,
  }),
);
const cell = ({ perSecond, cpuMicros }: Measured) => `${perSecond}/s, ${cpuMicros} µs`;
console.error(`| messages a second, CPU a message |${rounds.map((_, at) => ` round ${at + 1} |`).join("")}`);
console.error(`| --- |${rounds.map(() => " ---: |").join("")}`);
for (const way of Object.keys(rounds[0]!))
  console.error(`| ${way} | ${rounds.map((round) => cell(round[way]!)).join(" | ")} |`);
await device.endAsync(true);
await platform.stop();
await broker.stop();
