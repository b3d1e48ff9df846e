import { type FrameHead, frameFlags, type Verdict } from "@fnbus/contract";
import { lastOf, publish } from "./broker.ts";
import { after, createProcess, every, type Process } from "./process.ts";
import { ENVELOPE_BYTES } from "./settings.ts";
import type { SimulatedFunction, SimulatedPack, World } from "./world.ts";

/** A pack that got no acknowledgement is published so often in all. */
const TRIES = 3;
const NO_HASH = "0".repeat(32);

const createHead = (world: World, known: SimulatedFunction, id: string, more: Partial<FrameHead>): FrameHead => ({
  offset: 0,
  bytes: ENVELOPE_BYTES,
  flags: world.random.chance(0.5) ? frameFlags.callback : 0,
  partition: 0,
  id,
  registryId: known.registryId,
  revision: known.revision,
  priority: 0,
  overlap: "allow",
  delayMs: 0,
  ttlMs: 600_000,
  orderingKeyHash: 0,
  metaBytes: 0,
  bodyBytes: 0,
  bodyHash: NO_HASH,
  source: "",
  first: 0,
  last: 0,
  ...more,
});

function accept(world: World, process: Process, pack: SimulatedPack, done: (acknowledged: boolean) => void): void {
  const stored = () => {
    for (const head of pack.heads) world.truth.stored(head);
    world.trace(() => `stored ${pack.heads.map(({ id }) => id.slice(0, 8)).join(", ")}`);
  };
  const message = { data: pack, bytes: pack.heads.length * ENVELOPE_BYTES, stored };
  const attempt = (left: number) =>
    publish(world, process, world.invocations, message, (answer) => {
      if (answer.ok || left === 1) done(answer.ok);
      else after(world, process, world.random.between(10, 300), () => attempt(left - 1));
    });
  attempt(TRIES);
}

/** Gateways: calls with and without keys, delays and short lives, cancels; packs repeated when in doubt. */
export function createGateway(world: World, name: string): Process {
  const { random, truth } = world;
  const process = createProcess(name);
  const callable = world.functions.filter(({ overlap }) => overlap === undefined);
  const keys: FrameHead[] = [];
  const mine: string[] = [];
  every(world, process, random.between(100, 600), () => {
    if (world.closing) return;
    const heads = Array.from({ length: random.between(1, 3) }, () => {
      const known = random.pick(callable);
      const delayMs = random.chance(0.1) ? random.between(100, 20_000) : 0;
      const ttlMs = random.chance(0.1) ? random.between(500, 5_000) : 600_000;
      if (!random.chance(0.3)) return createHead(world, known, random.id(7), { delayMs, ttlMs });
      const again = keys.length > 0 && random.chance(0.5) ? random.pick(keys) : undefined;
      if (again) {
        noteTrimmed(again.id);
        return { ...again, ...(random.chance(0.2) ? { bodyHash: "f".repeat(32) } : {}) };
      }
      const flags = frameFlags.keyed | frameFlags.verdict | (random.chance(0.5) ? frameFlags.callback : 0);
      const head = createHead(world, known, random.id(8), { flags, bodyHash: "a".repeat(32), delayMs });
      keys.push(head);
      return head;
    });
    const byId = [...new Map(heads.map((head) => [head.id, head])).values()];
    mine.push(...byId.map(({ id }) => id));
    const receive = (verdicts: readonly Verdict[]) => {
      for (const { id, verdict } of verdicts) {
        const hash = byId.find((head) => head.id === id)?.bodyHash;
        const first = truth.heads.get(id)?.bodyHash;
        if ((verdict === "conflict") !== (hash !== first) && verdict !== "new")
          truth.fail(`I2: ${id} is judged ${verdict}`);
      }
    };
    accept(world, process, { heads: byId, inbox: { process, receive } }, () => {});
  });
  every(world, process, random.between(700, 3_000), () => {
    if (mine.length === 0 || world.closing) return;
    const id = random.chance(0.7) ? mine.at(-1)! : random.pick(mine);
    const ticket = world.cancelTickets.size + 1;
    world.cancelTickets.set(ticket, id);
    for (const { process: replica, core, apply } of world.replicas) {
      after(world, replica, random.between(1, 3), () => {
        if (core.view.phase === "owning") apply({ type: "cancel", ticket, id });
      });
    }
  });
  function noteTrimmed(id: string): void {
    const { first, all } = world.outcomes;
    const at = all.findIndex(({ data }) =>
      data.records.some((record) => record.type === "outcome" && record.id === id),
    );
    if (at >= 0 && at + 1 < first) world.reach("repeat of a key after its result is trimmed");
  }
  return process;
}

export interface CountingSource {
  source: string;
  known: SimulatedFunction;
  /** Its positions are times. */
  ticks: boolean;
  /** Positions below this have a verdict "new" or "known". */
  done: number;
  step: number;
  base: number;
}

/**
 * One replica that publishes what a source counts: in order, one publish in flight, from the ledger's mark (L10). Ticks
 * are positions in time: a replica whose clock is wrong publishes some from the future.
 */
export function createSourceReplica(world: World, name: string, counts: CountingSource): Process {
  const { known, ticks } = counts;
  const { random, broker, timeline } = world;
  const process = createProcess(name);
  const skew = ticks && random.chance(0.3) ? 90_000 : 0;
  let cursor: number | undefined;
  let waiting = 0;
  const markOf = () => world.replicas.find(({ core }) => core.view.phase === "owning")?.core.view.mark(counts.source);

  function next(): void {
    if (world.closing || waiting > timeline.now) return;
    const owner = world.replicas.find(({ core }) => core.view.phase === "owning");
    if (!owner) return;
    cursor ??= (markOf() ?? counts.base - counts.step) + counts.step;
    const first = cursor;
    const last = ticks ? first : first + random.between(0, 3);
    if (ticks && first > timeline.now + broker.clock + skew) return;
    waiting = timeline.now + 8_000;
    const flags = frameFlags.counting | frameFlags.verdict | (ticks ? frameFlags.tick : 0);
    const { source } = counts;
    const overlap = known.overlap ?? "allow";
    const head = createHead(world, known, random.id(7), { flags, overlap, source, first, last });
    const receive = ([verdict]: readonly Verdict[]) => {
      if (!verdict || waiting === 0 || cursor !== first) return;
      waiting = 0;
      if (verdict.verdict === "refused") {
        world.reach(ticks ? "tick from the future" : "straddling batch");
        cursor = ticks ? undefined : verdict.mark + counts.step;
        if (ticks) waiting = timeline.now + 5_000;
        return;
      }
      cursor = last + counts.step;
      counts.done = Math.max(counts.done, cursor);
    };
    accept(world, process, { heads: [head], inbox: { process, receive } }, () => {});
  }
  every(world, process, random.between(200, 900), next);
  return process;
}

/** Every position that a source was told is kept ran, or is to run, exactly once (I2, I7). */
export function checkSource(world: World, counts: CountingSource): void {
  const covered = world.truth.positions.get(counts.source) ?? new Set();
  for (let at = counts.base; at < counts.done; at += counts.step) {
    if (!covered.has(at))
      world.truth.fail(`I7, L10: position ${at} of ${counts.source} never ran, of ${lastOf(world.invocations)} packs`);
  }
}
