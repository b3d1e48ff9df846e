import { createExecutor } from "./executor.ts";
import { after, die, freeze, type Process } from "./process.ts";
import { OWNERSHIP_LEASE_MS } from "./settings.ts";
import type { World } from "./world.ts";

type Fault = (world: World) => void;

const owner = (world: World) => world.replicas.find(({ core }) => core.view.phase === "owning") ?? world.replicas[0]!;
const livingExecutors = (world: World) => world.executors.filter(({ process }) => process.alive && !process.frozen);

function restartReplica(world: World, replica: World["replicas"][number], ms: number): void {
  die(replica.process);
  world.timeline.at(world.timeline.now + ms, () => {
    if (!replica.process.alive) replica.start();
  });
}

function restartExecutor(world: World, drained: boolean): void {
  const { random, timeline } = world;
  const [known] = livingExecutors(world).length > 0 ? [random.pick(livingExecutors(world))] : [];
  if (!known) return;
  world.reach("executor restarted");
  if (drained) known.drain();
  else die(known.process);
  timeline.at(timeline.now + random.between(10, 4_000), () => addExecutor(world, known.process.name.split("-")[0]!));
}

export function addExecutor(world: World, pool: string): void {
  world.executors.push(createExecutor(world, `${pool}-${world.executors.length}`, pool));
}

function disconnect(world: World, process: Process, ms: number): void {
  if (!process.connected || !process.alive) return;
  process.connected = false;
  const { life } = process;
  const replica = world.replicas.find((known) => known.process === process);
  if (replica && !process.frozen) replica.apply({ type: "connection", connected: false });
  world.timeline.at(world.timeline.now + ms, () => {
    if (process.life !== life) return;
    process.connected = true;
    if (!replica) return;
    after(world, process, 0, () => {
      world.truth.hears(process);
      replica.apply({ type: "connection", connected: true });
    });
  });
}

function cutLinks(world: World, links: string[], ms: number): void {
  for (const link of links) world.cut.add(link);
  world.timeline.at(world.timeline.now + ms, () => {
    for (const link of links) world.cut.delete(link);
  });
}

const faults: Record<string, Fault> = {
  "the owner dies": (world) => restartReplica(world, owner(world), world.random.between(10, 9_000)),
  "a stand-by dies": (world) =>
    restartReplica(world, world.random.pick(world.replicas), world.random.between(10, 9_000)),
  "both ledgers die": (world) => {
    for (const replica of world.replicas) restartReplica(world, replica, world.random.between(10, 7_000));
  },
  "the owner freezes": (world) => {
    const { process } = owner(world);
    const ms = world.random.between(500, 12_000);
    freeze(world, process, ms);
    world.timeline.at(world.timeline.now + ms, () => {
      const { holder } = world.broker.lease;
      if (holder && !holder.startsWith(`${process.name}/`)) world.reach("a thawed owner beside a new one");
    });
  },
  "the owner is cut off": (world) => {
    const ms = world.random.between(500, 9_000);
    if (ms > OWNERSHIP_LEASE_MS) world.reach("the owner's own outage longer than a lease");
    disconnect(world, owner(world).process, ms);
  },
  "an executor dies": (world) => restartExecutor(world, false),
  "an executor drains": (world) => restartExecutor(world, true),
  "an executor freezes": (world) => {
    const known = livingExecutors(world);
    if (known.length > 0) freeze(world, world.random.pick(known).process, world.random.between(500, 12_000));
  },
  "an executor is cut off": (world) => {
    const known = livingExecutors(world);
    if (known.length > 0) disconnect(world, world.random.pick(known).process, world.random.between(500, 12_000));
  },
  "the owner's lease cannot be renewed, and executors hear only it": (world) => {
    const holder = owner(world).process.name;
    const links = [`${holder}>lease`];
    for (const { process } of world.replicas) {
      if (process.name === holder) continue;
      for (const executor of world.executors) {
        if (world.random.chance(0.7))
          links.push(`${executor.process.name}>${process.name}`, `${process.name}>${executor.process.name}`);
      }
    }
    cutLinks(world, links, world.random.between(6_000, 15_000));
  },
  "the broker is away": (world) => {
    world.broker.away = true;
    for (const { process, apply } of world.replicas) {
      if (process.alive) after(world, process, 0, () => apply({ type: "connection", connected: false }));
    }
    world.timeline.at(world.timeline.now + world.random.between(200, 8_000), () => {
      world.broker.away = false;
      for (const { process, apply } of world.replicas) {
        if (!process.alive) continue;
        after(world, process, 0, () => {
          world.truth.hears(process);
          apply({ type: "connection", connected: true });
        });
      }
    });
  },
  "the broker's clock steps": (world) => {
    world.broker.clock += world.random.between(-3_000, 10_000);
  },
  "the dispatcher dies": ({ dispatcher, timeline, random }) => {
    die(dispatcher.process);
    timeline.at(timeline.now + random.between(100, 8_000), () => {
      if (!dispatcher.process.alive) dispatcher.start();
    });
  },
  "Redis forgets": ({ dispatcher }) => dispatcher.forgetRedis(),
  "a function is deployed anew": (world) => {
    const known = world.random.pick(world.functions);
    const revision = Math.max(...world.functions.map((any) => any.revision)) + 1;
    known.revision = revision;
    known.rules = { ...known.rules, limit: known.rules.limit + 1 };
    tellOfFunction(world, known);
  },
  "a function is deleted": (world) => {
    const known = world.random.pick(world.functions.slice(-3));
    known.deleted = true;
    tellOfFunction(world, known);
  },
};

function tellOfFunction(world: World, known: World["functions"][number]): void {
  const { registryId, rules, revision, deleted } = known;
  for (const { process, apply } of world.replicas) {
    after(world, process, world.random.between(1, 3_000), () => {
      apply({ type: "function", registryId, indexRevision: revision, ...(deleted ? {} : { rules }) });
    });
  }
}

/** Plans the faults of one run. */
export function planFaults(world: World, untilMs: number): void {
  const { random, timeline } = world;
  const names = Object.keys(faults);
  const count = random.between(0, 8);
  for (let nth = 0; nth < count; nth++) {
    const name = random.pick(names);
    timeline.at(random.between(1_000, untilMs), () => {
      if (world.closing) return;
      world.trace(() => `fault: ${name}`);
      faults[name]!(world);
    });
  }
}
