import type { World } from "./world.ts";

/** One process of the platform: it can die, freeze and lose its connection. */
export interface Process {
  name: string;
  /** Counts its starts: what an earlier life planned never happens. */
  life: number;
  alive: boolean;
  frozen: boolean;
  connected: boolean;
  /** What came while it was frozen: it happens all at once when it thaws. */
  backlog: (() => void)[];
}

export const createProcess = (name: string): Process => ({
  name,
  life: 1,
  alive: true,
  frozen: false,
  connected: true,
  backlog: [],
});

/** Does something in the process after a while, if it still lives then. */
export function after(world: World, process: Process, ms: number, run: () => void): void {
  const { life } = process;
  world.timeline.at(world.timeline.now + ms, () => {
    if (process.life !== life || !process.alive) return;
    if (process.frozen) process.backlog.push(run);
    else run();
  });
}

/** Does something in the process again and again. */
export function every(world: World, process: Process, ms: number, run: () => void): void {
  after(world, process, ms, () => {
    run();
    every(world, process, ms, run);
  });
}

export function die(process: Process): void {
  process.alive = false;
  process.life++;
  process.frozen = false;
  process.connected = true;
  process.backlog = [];
}

export function freeze(world: World, process: Process, ms: number): void {
  if (process.frozen || !process.alive) return;
  const { life } = process;
  process.frozen = true;
  world.timeline.at(world.timeline.now + ms, () => {
    if (process.life !== life) return;
    process.frozen = false;
    const { backlog } = process;
    process.backlog = [];
    for (const run of backlog) if (process.life === life && process.alive) run();
  });
}

/** Core NATS: at most once, usually soon. What a cut-off process sends or should get is lost. */
export function send(world: World, from: Process, to: Process, receive: () => void): void {
  const { random, weather, broker } = world;
  if (broker.away || !from.connected || random.chance(weather.lost)) return;
  const deliver = (ms: number) => {
    const { life } = to;
    world.timeline.at(world.timeline.now + ms, () => {
      if (broker.away || !to.connected || to.life !== life || !to.alive) return;
      if (to.frozen) to.backlog.push(receive);
      else receive();
    });
  };
  deliver(random.chance(weather.late) ? random.between(100, 3_000) : random.between(1, 4));
  if (random.chance(weather.doubled)) deliver(random.between(1, 2_000));
}
