import autocannon from "autocannon";

export interface Load {
  url: string;
  connections: number;
  seconds: number;
  body: Buffer;
  headers?: Record<string, string>;
  /** Calls go to these in turn instead of to `url` alone. */
  paths?: string[];
}

export interface Rate {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Answers other than 2xx, and lost connections: a rate with any of them is no rate. */
  bad: number;
}

/** Programs that have just begun run at half their speed: so long the same load runs before it is counted. */
const WARM_UP_SECONDS = 3;

/** POSTs for so long and reports. */
export async function measureLoad(load: Load): Promise<Rate> {
  const options = {
    url: load.url,
    connections: load.connections,
    method: "POST" as const,
    body: load.body,
    headers: { "content-type": "application/octet-stream", ...load.headers },
    ...(load.paths ? { requests: load.paths.map((path) => ({ path })) } : {}),
  };
  await autocannon({ ...options, duration: WARM_UP_SECONDS });
  const result = await autocannon({ ...options, duration: load.seconds });
  return {
    perSecond: Math.round(result.requests.average),
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    bad: result.non2xx + result.errors,
  };
}

/** Latencies of calls one after another, in ms with fractions (the load generator's own histogram is in whole ms). */
export async function measureSerial(
  call: () => Promise<void>,
  count: number,
): Promise<{ p50Ms: number; p99Ms: number }> {
  const times: number[] = [];
  for (let index = 0; index < count + 50; index++) {
    const began = performance.now();
    await call();
    if (index >= 50) times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => Number(times[Math.floor(times.length * share)]!.toFixed(3));
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
