import { startNats } from "@fnbus/testing";
import type { Stack } from "../../stack/stack.ts";
import { bearer, body, callPath, deployEcho } from "../calls.ts";
import { measureInTurns, type Rate } from "../load.ts";
import { runPeer, startPeer } from "../peer.ts";
import type { Measure } from "../report.ts";
import { startLeast } from "./least.ts";

const FUNCTIONS = 1_000;
/** An executor checks a few deployments at once. */
const DEPLOYS_AT_ONCE = 3;

/** Accepting asynchronous calls, fsync before every acknowledgement, executors stopped: one function, then a thousand. */
export async function measureAccept(stack: Stack, seconds: number): Promise<Measure[]> {
  const names = Array.from({ length: FUNCTIONS }, (_, index) => `spread-${index}`);
  const left = [...names];
  const deployer = async () => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) await deployEcho(stack, name);
  };
  await Promise.all(Array.from({ length: DEPLOYS_AT_ONCE }, deployer));
  for (const executor of stack.members("executor")) await executor.stopGracefully();
  const nothing = await startPeer("./baselines/http-server.ts", "accept");
  const least = await startLeast("store");
  const nats = await startNats();
  try {
    const load = { connections: 64, seconds, body };
    const raw = Number(await runPeer("./baselines/raw-publish.ts", nats.url, "", "", "20000", "1024", "64"));
    const ours = { ...load, url: stack.api.urls[0]!, headers: bearer(stack) };
    const [bare, stored, one, spread] = await measureInTurns([
      { ...load, url: `http://127.0.0.1:${nothing.first}/` },
      { ...load, url: least.url },
      { ...ours, paths: [callPath("echo", "async-invoke")] },
      { ...ours, paths: names.map((name) => callPath(name, "async-invoke")) },
    ]);
    return [
      {
        ...row("asynchronous accept, one function", one),
        baseline: { name: "Fastify 202, nothing stored", value: bare.perSecond },
        wanted: { above: 20_000 },
      },
      {
        ...row(`asynchronous accept, ${FUNCTIONS} functions`, spread),
        baseline: { name: "the same, one function", value: one.perSecond },
        wanted: { ratio: 0.9 },
      },
      {
        ...row("node:http that stores with fsync and nothing else", stored),
        baseline: { name: "Fastify 202, nothing stored", value: bare.perSecond },
      },
      {
        ...row("asynchronous accept against that", one),
        baseline: { name: "node:http that stores with fsync", value: stored.perSecond },
        wanted: { ratio: 0.6 },
      },
      {
        ...row("asynchronous accept against the log alone", one),
        baseline: { name: "raw JetStream publish, one message each, fsync", value: raw },
      },
    ];
  } finally {
    nothing.stop();
    await least.stop();
    await nats.stop();
    for (const executor of stack.members("executor")) await executor.restart();
  }
}

const row = (name: string, rate: Rate) => ({
  name,
  ours: rate.perSecond,
  unit: "calls/s",
  details: { p50Ms: rate.p50Ms, p99Ms: rate.p99Ms, bad: rate.bad },
});
