import type { Stack } from "../../stack/stack.ts";
import { bearer, body, callPath } from "../calls.ts";
import { measureInTurns, measureSerial, type Rate } from "../load.ts";
import { startPeer } from "../peer.ts";
import type { Measure } from "../report.ts";
import { startLeast } from "./least.ts";

const SERIAL_CALLS = 2_000;

/** A synchronous call through gateway, bus, executor and a warm user process, beside a bare Fastify that echoes. */
export async function measureSync(stack: Stack, seconds: number): Promise<Measure[]> {
  const load = { connections: 64, seconds, body };
  const echo = await startPeer("./baselines/http-server.ts", "echo");
  const least = await startLeast("call");
  try {
    const url = `${stack.api.urls[0]}${callPath("echo", "invoke")}`;
    const [bare, bus, ours] = (await measureInTurns([
      { ...load, url: `http://127.0.0.1:${echo.first}/` },
      { ...load, url: least.url },
      { ...load, url, headers: bearer(stack) },
    ])) as [Rate, Rate, Rate];
    const serial = await measureSerial(async () => {
      const answer = await stack.api.call("POST", callPath("echo", "invoke"), { body });
      if (answer.status !== 200) throw new Error(`sync call: ${answer.status} ${answer.text}`);
    }, SERIAL_CALLS);
    return [
      {
        name: "synchronous call, 64 connections",
        ours: ours.perSecond,
        unit: "calls/s",
        baseline: { name: "bare Fastify echo", value: bare.perSecond },
        wanted: { ratio: 0.4 },
        details: { p50Ms: ours.p50Ms, p99Ms: ours.p99Ms, bad: ours.bad, baselineBad: bare.bad },
      },
      {
        name: "node:http over the bus to another process and nothing else",
        ours: bus.perSecond,
        unit: "calls/s",
        baseline: { name: "bare Fastify echo", value: bare.perSecond },
        details: { p50Ms: bus.p50Ms, p99Ms: bus.p99Ms, bad: bus.bad },
      },
      {
        name: "synchronous call, 1 connection, p50",
        ours: serial.p50Ms,
        unit: "ms",
        wanted: { below: 0.8 },
        details: { p99Ms: serial.p99Ms, calls: SERIAL_CALLS },
      },
    ];
  } finally {
    echo.stop();
    await least.stop();
  }
}
