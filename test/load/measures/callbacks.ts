import { setTimeout as sleep } from "node:timers/promises";
import { startRedis } from "@fnbus/testing";
import type { Stack } from "../../stack/stack.ts";
import { bearer, body, callPath } from "../calls.ts";
import { generate } from "../generator.ts";
import { startPeer } from "../peer.ts";
import type { Measure } from "../report.ts";

const TURNS = 3;
/** In each turn, of either side. */
const CALLS = 10_000;
/** Before the clock starts, for both sides: programs that have just begun run uncompiled, and none of them stays so. */
const WARM_UP = 10_000;
const LONGEST_MS = 120_000;
const LOOK_MS = 10;

/** From the first accept to the last callback, ledger, user process and projection included, beside a naive BullMQ loop. */
export async function measureCallbacks(stack: Stack): Promise<Measure[]> {
  const target = await startPeer("./baselines/callback-target.ts");
  const redis = await startRedis();
  const url = `http://127.0.0.1:${target.first}/`;
  const naive = await startPeer("./baselines/naive-callbacks.ts", redis.url, url, String(body.length));
  const count = async () => Number(await fetch(url).then((answer) => answer.text()));

  /** So many calls through the door. Resolves with what arrived when the last callback has, or too late. */
  async function call(amount: number): Promise<{ accepted: number; arrived: number; seconds: number }> {
    await fetch(url, { method: "DELETE" });
    const began = performance.now();
    const { bad } = await generate({
      url: `${stack.api.urls[0]}${callPath("echo", "async-invoke")}`,
      ...{ connections: 64, amount, body },
      headers: { ...bearer(stack), "x-callback-url": url },
    });
    const accepted = amount - bad;
    let arrived = await count();
    while (arrived < accepted && performance.now() - began < LONGEST_MS) {
      await sleep(LOOK_MS);
      arrived = await count();
    }
    return { accepted, arrived, seconds: (performance.now() - began) / 1000 };
  }

  try {
    await naive.ask(String(WARM_UP));
    await call(WARM_UP);
    let naiveSeconds = 0;
    const ours = { accepted: 0, arrived: 0, seconds: 0 };
    for (let turn = 0; turn < TURNS; turn++) {
      naiveSeconds += Number(await naive.ask(String(CALLS)));
      const { accepted, arrived, seconds } = await call(CALLS);
      ours.accepted += accepted;
      ours.arrived += arrived;
      ours.seconds += seconds;
    }
    return [
      {
        name: "accept to callback",
        ours: Math.round(ours.arrived / ours.seconds),
        unit: "callbacks/s",
        baseline: {
          name: "naive loop: await add, a worker that POSTs",
          value: Math.round((TURNS * CALLS) / naiveSeconds),
        },
        wanted: { ratio: 2 },
        details: { ...ours, seconds: Number(ours.seconds.toFixed(2)) },
      },
    ];
  } finally {
    naive.stop();
    target.stop();
    await redis.stop();
  }
}
