import autocannon, { type Options, type Result } from "autocannon";

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
  /** Of the worst turn. */
  p50Ms: number;
  p99Ms: number;
  /** Answers other than 2xx, and lost connections: a rate with any of them is no rate. */
  bad: number;
}

/** Programs that have just begun run at half their speed: so long the same load runs before it is counted. */
const WARM_UP_SECONDS = 3;
const TURNS = 3;
/** After a pause of some seconds they have given memory back, and take it again. */
const TURN_WARM_UP_SECONDS = 1;

/**
 * POSTs each load after a warm-up, in turns of a part of its time, and reports: a machine that is slower for a minute is
 * slower for each of them, so that their ratio says more than that of one run after the other.
 */
export async function measureInTurns(loads: readonly Load[]): Promise<Rate[]> {
  for (const load of loads) await autocannon({ ...toOptions(load), duration: WARM_UP_SECONDS });
  const results: Result[][] = loads.map(() => []);
  for (let turn = 0; turn < TURNS; turn++)
    for (const [index, load] of loads.entries()) {
      await autocannon({ ...toOptions(load), duration: TURN_WARM_UP_SECONDS });
      results[index]!.push(await autocannon({ ...toOptions(load), duration: Math.ceil(load.seconds / TURNS) }));
    }
  return results.map(toRate);
}

function toOptions({ url, connections, body, headers, paths }: Load): Options {
  return {
    ...{ url, connections, method: "POST", body },
    headers: { "content-type": "application/octet-stream", ...headers },
    ...(paths ? { requests: paths.map((path) => ({ path })) } : {}),
  };
}

function toRate(turns: readonly Result[]): Rate {
  const sum = (of: (result: Result) => number) => turns.reduce((total, result) => total + of(result), 0);
  return {
    perSecond: Math.round(sum(({ requests }) => requests.total) / sum(({ duration }) => duration)),
    p50Ms: Math.max(...turns.map(({ latency }) => latency.p50)),
    p99Ms: Math.max(...turns.map(({ latency }) => latency.p99)),
    bad: sum(({ non2xx, errors }) => non2xx + errors),
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
