import type { Stack } from "../../stack/stack.ts";
import { bearer, body, callPath } from "../calls.ts";
import { measureInTurns } from "../load.ts";
import { startPeer } from "../peer.ts";
import type { Measure } from "../report.ts";
import { startLeast } from "./least.ts";

/** A synchronous call through gateway, bus, executor and a warm user process, beside a bare Fastify that echoes. */
export async function measureSync(stack: Stack, seconds: number): Promise<Measure[]> {
  const load = { connections: 64, seconds, body };
  const echo = await startPeer("./baselines/http-server.ts", "echo");
  const least = await startLeast("call");
  try {
    const url = `${stack.api.urls[0]}${callPath("echo", "invoke")}`;
    const bareEcho = { ...load, url: `http://127.0.0.1:${echo.first}/` };
    const called = { ...load, url, headers: bearer(stack) };
    const [bare, bus, ours] = await measureInTurns([bareEcho, { ...load, url: least.url }, called]);
    const alone = { connections: 1 };
    const [bareOne, one] = await measureInTurns([
      { ...bareEcho, ...alone },
      { ...called, ...alone },
    ]);
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
        ours: one.p50Ms,
        unit: "ms",
        baseline: { name: "bare Fastify echo", value: bareOne.p50Ms },
        wanted: { below: 0.8 },
        details: { p99Ms: one.p99Ms, perSecond: one.perSecond, bad: one.bad, baselineBad: bareOne.bad },
      },
    ];
  } finally {
    echo.stop();
    await least.stop();
  }
}
