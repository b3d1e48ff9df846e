import { setTimeout as sleep } from "node:timers/promises";
import { startRedis } from "@fnbus/testing";
import autocannon from "autocannon";
import type { Stack } from "../../stack/stack.ts";
import { bearer, body, callPath } from "../calls.ts";
import { runPeer, startPeer } from "../peer.ts";
import type { Measure } from "../report.ts";

const CALLS = 10_000;
const LONGEST_MS = 120_000;

/** From the first accept to the last callback, ledger, user process and projection included, beside a naive BullMQ loop. */
export async function measureCallbacks(stack: Stack): Promise<Measure[]> {
  const target = await startPeer("./baselines/callback-target.ts");
  const redis = await startRedis();
  const url = `http://127.0.0.1:${target.first}/`;
  const count = async () => Number(await fetch(url).then((answer) => answer.text()));
  try {
    const naive = Number(
      await runPeer("./baselines/naive-callbacks.ts", redis.url, url, String(CALLS), String(body.length), "1"),
    );
    await fetch(url, { method: "DELETE" });
    const began = performance.now();
    const accepted = await autocannon({
      url: `${stack.api.urls[0]}${callPath("echo", "async-invoke")}`,
      method: "POST",
      connections: 64,
      amount: CALLS,
      body,
      headers: { ...bearer(stack), "x-callback-url": url },
    });
    while ((await count()) < CALLS - accepted.non2xx && performance.now() - began < LONGEST_MS) await sleep(20);
    const seconds = (performance.now() - began) / 1000;
    const arrived = await count();
    return [
      {
        name: "accept to callback",
        ours: Math.round(arrived / seconds),
        unit: "callbacks/s",
        baseline: { name: "naive loop: await add, a worker that POSTs", value: Math.round(CALLS / naive) },
        wanted: { ratio: 2 },
        details: { accepted: CALLS - accepted.non2xx, arrived, seconds: Number(seconds.toFixed(2)) },
      },
    ];
  } finally {
    target.stop();
    await redis.stop();
  }
}
