import { generate, type Requests, type Sent } from "./generator.ts";

export interface Load extends Requests {
  seconds: number;
}

interface Quantiles {
  p50Ms: number;
  p99Ms: number;
}

export interface Rate extends Quantiles {
  perSecond: number;
  /** Answers other than 2xx, and lost connections: a rate with any of them is no rate. */
  bad: number;
}

/** Programs that have just begun run at half their speed: so long the same load runs before it is counted. */
const WARM_UP_SECONDS = 3;
const TURNS = 6;
/** After a pause of some seconds they have given memory back, and take it again. */
const TURN_WARM_UP_SECONDS = 0.5;

/**
 * POSTs each load after a warm-up, in turns of a part of its time, and reports: a machine that is slower for a minute is
 * slower for each of them, so that their ratio says more than that of one run after the other.
 */
export async function measureInTurns<const L extends readonly Load[]>(loads: L): Promise<{ [Index in keyof L]: Rate }> {
  for (const load of loads) await generate({ ...load, seconds: WARM_UP_SECONDS });
  const turns: Sent[][] = loads.map(() => []);
  for (let turn = 0; turn < TURNS; turn++)
    for (const [index, load] of loads.entries()) {
      await generate({ ...load, seconds: TURN_WARM_UP_SECONDS });
      turns[index]!.push(await generate({ ...load, seconds: load.seconds / TURNS }));
    }
  return turns.map(toRate) as { [Index in keyof L]: Rate };
}

function toRate(turns: readonly Sent[]): Rate {
  const sum = (of: (turn: Sent) => number) => turns.reduce((total, turn) => total + of(turn), 0);
  const latencies = turns.flatMap((turn) => turn.latencies);
  return {
    perSecond: Math.round(latencies.length / sum(({ seconds }) => seconds)),
    ...toQuantiles(latencies),
    bad: sum(({ bad }) => bad),
  };
}

function toQuantiles(values: readonly number[]): Quantiles {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => Number((sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(3));
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** Calls one after another, in ms. */
export async function measureSerial(call: () => Promise<void>, count: number): Promise<Quantiles> {
  const times: number[] = [];
  for (let index = 0; index < count + 50; index++) {
    const began = performance.now();
    await call();
    if (index >= 50) times.push(performance.now() - began);
  }
  return toQuantiles(times);
}
