import autocannon from "autocannon";
import type { Stack } from "../../stack/stack.ts";
import { bearer, body, callPath, deployEcho } from "../calls.ts";
import { measureSerial } from "../load.ts";
import type { Measure } from "../report.ts";

const LIMIT = 4;
const CALLS = 300;

/** How much a function flooded to ten times its limit delays another's asynchronous calls, accept to end. */
export async function measureFairness(stack: Stack, seconds: number): Promise<Measure[]> {
  await deployEcho(stack, "flooded", { limit: LIMIT, sleepMs: 20 });
  await deployEcho(stack, "quiet");
  const quiet = () =>
    measureSerial(async () => {
      const accepted = await stack.api.call("POST", callPath("quiet", "async-invoke"), { body });
      const ended = await stack.api.call("GET", `${accepted.headers.location}?wait=10`);
      if (ended.json().state !== "succeeded") throw new Error(`the quiet function: ${ended.status} ${ended.text}`);
    }, CALLS);
  const alone = await quiet();
  const flood = autocannon({
    url: `${stack.api.urls[0]}${callPath("flooded", "async-invoke")}`,
    method: "POST",
    connections: LIMIT * 10,
    duration: seconds,
    body,
    headers: bearer(stack),
    overallRate: (LIMIT * 10 * 1000) / 20,
  });
  const beside = await quiet();
  await flood;
  return [
    {
      name: "delay of another function's p99 by a flooded one",
      ours: Number((beside.p99Ms - alone.p99Ms).toFixed(1)),
      unit: "ms",
      wanted: { below: 50 },
      details: { aloneP99Ms: alone.p99Ms, besideP99Ms: beside.p99Ms, limit: LIMIT },
    },
  ];
}
