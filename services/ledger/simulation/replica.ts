import { type Action, type Core, type CoreEvent, createCore } from "../src/core/index.ts";
import { lastOf, publish, readAt, toFill, trim } from "./broker.ts";
import { acquireLoop, type HeldLease } from "./lease.ts";
import { after, createProcess, every, type Process, send } from "./process.ts";
import { ENVELOPE_BYTES, RECORD_BYTES, simulatedLimits, TICK_MS } from "./settings.ts";
import { compose, newestCheckpoint } from "./stored.ts";
import { checkTicks, hasRoom } from "./ticks.ts";
import type { World } from "./world.ts";

/** A ledger process: the real core, and a shell around it that does what the actions say. */
export interface SimulatedReplica {
  process: Process;
  core: Core;
  apply(event: CoreEvent): void;
  start(): void;
}

interface Cursor {
  next: number;
  busy: boolean;
}

export function createReplica(world: World, name: string): SimulatedReplica {
  const process = createProcess(name);
  const { timeline, broker, truth, weather, random } = world;
  let lease: HeldLease | undefined;
  let lastTurn = 0;
  let stamp = { at: 0, mono: 0 };
  /** The core knows of so much room in OUTCOMES that it puts no decision off (L23). */
  let isRoomy = false;
  let cursors: { invocations: Cursor; outcomes: Cursor };

  const replica: SimulatedReplica = { process, core: undefined as unknown as Core, apply, start };

  function apply(event: CoreEvent): void {
    const { now } = timeline;
    if (now - lastTurn > simulatedLimits.longTurnMs) truth.hears(process);
    lastTurn = now;
    const time = { mono: now, broker: stamp.at + now - stamp.mono, leaseSafe: lease?.isSafe() ?? false };
    for (const action of replica.core.apply(event, time)) perform(action);
    check();
  }

  /** A hand-out leaves the function within its limit. What a take-over found running may exceed one that was lowered. */
  function checkLimit(id: string): void {
    const { registryId } = truth.heads.get(id)!;
    const { limit } = world.functions.find((known) => known.registryId === registryId)!.rules;
    const running = replica.core.view.queues().find((queue) => queue.registryId === registryId)?.running ?? 0;
    if (running > limit) truth.fail(`L13: ${running} runs of a function with limit ${limit}`);
  }

  /** I8 and bounds, after every step. */
  function check(): void {
    const { view } = replica.core;
    const { accepted, unfinished, ended } = view.totals();
    const all = ended.succeeded + ended.failed + ended.cancelled + ended.expired + ended["dead-lettered"];
    if (accepted !== unfinished + all) truth.fail(`I8: ${accepted} accepted, ${unfinished} unfinished, ${all} ended`);
    if (isRoomy) checkTicks(world, view);
    const bound = 2 * simulatedLimits.pendingRecords + 200;
    if (view.pendingRecords > bound) truth.fail(`I11: ${view.pendingRecords} decisions wait`);
  }

  function start(): void {
    process.alive = true;
    isRoomy = false;
    lease = undefined;
    lastTurn = timeline.now;
    truth.hears(process);
    stamp = { at: timeline.now + broker.clock, mono: timeline.now };
    replica.core = createCore({
      partition: 0,
      limits: simulatedLimits,
      withoutProtections: world.without,
      logs: {
        invocations: { createdAt: 1, first: world.invocations.first, last: lastOf(world.invocations) },
        outcomes: { createdAt: 1, first: world.outcomes.first, last: lastOf(world.outcomes) },
      },
      ...newestCheckpoint(world),
    });
    if (world.invocations.first > 1) world.reach("trim, then a cold start");
    const next = replica.core.view.next();
    cursors = { invocations: { next: next.invocations, busy: false }, outcomes: { next: next.outcomes, busy: false } };
    for (const known of world.functions) {
      apply({ type: "function", registryId: known.registryId, rules: known.rules, indexRevision: known.revision });
    }
    every(world, process, TICK_MS, () => {
      apply({ type: "tick" });
      pull("invocations");
      pull("outcomes");
    });
    every(world, process, 1_000, () => {
      if (broker.away || !process.connected) return;
      isRoomy = hasRoom(world.outcomes);
      const [invocations, outcomes, parked] = [world.invocations, world.outcomes, world.parked].map((stream) =>
        toFill<unknown>(stream),
      );
      apply({ type: "streams", invocations: invocations!, outcomes: outcomes!, parked: parked! });
      apply({ type: "projection-mark", from: lastOf(world.outcomes) });
    });
    acquireLoop(
      world,
      process,
      (held) => {
        lease = held;
        const ends = { lastInvocations: lastOf(world.invocations), lastOutcomes: lastOf(world.outcomes) };
        apply({ type: "lease-gained", owner: name, ...ends });
      },
      () => {
        lease = undefined;
        apply({ type: "lease-lost" });
      },
    );
  }

  /** Reads on in one log after a while: the two are read independently, and either may lag. */
  function pull(log: "invocations" | "outcomes"): void {
    const cursor = cursors[log];
    if (cursor.busy || cursor.next > world[log].all.length) return;
    cursor.busy = true;
    const lag = random.chance(0.1) ? random.between(1, weather.readerLagMs) : random.between(1, 2);
    after(world, process, lag, () => {
      cursor.busy = false;
      if (!broker.away && process.connected) feed(log);
      else return;
      pull("invocations");
      pull("outcomes");
    });
  }

  function feed(log: "invocations" | "outcomes"): void {
    const cursor = cursors[log];
    while (replica.core.view.wants()[log] && cursor.next <= world[log].all.length) {
      cursor.next = Math.max(cursor.next, world[log].first);
      const message = readAt<unknown>(world[log], cursor.next);
      if (!message) return;
      cursor.next++;
      stamp = { at: Math.max(stamp.at, message.at), mono: timeline.now };
      if (log === "invocations") feedInvocations(message.sequence);
      else feedOutcomes(message.sequence);
    }
  }

  function feedInvocations(sequence: number): void {
    const { at, data } = readAt(world.invocations, sequence)!;
    apply({
      type: "invocations",
      sequence,
      at,
      heads: data.heads,
      ...(data.inbox ? { verdictInbox: String(sequence) } : {}),
    });
  }

  function feedOutcomes(sequence: number): void {
    const { head, records } = readAt(world.outcomes, sequence)!.data;
    if (head.applied >= replica.core.view.next().invocations) world.reach("outcome read before its envelope");
    apply({ type: "outcomes", sequence, head, records });
  }

  function perform(action: Action): void {
    switch (action.do) {
      case "append":
        append(action);
        break;
      case "read-tail":
        readTail();
        break;
      case "work":
        work(action);
        break;
      case "ask-holds":
        toExecutor(action.executor, (executor) => executor.asked(action.epoch));
        break;
      case "publish-epoch":
        lease?.setEpoch(action.epoch);
        break;
      case "verdicts": {
        const { inbox } = world.invocations.all[Number(action.inbox) - 1]!.data;
        if (inbox) send(world, process, inbox.process, () => inbox.receive(action.verdicts));
        break;
      }
      case "answer-cancel":
        truth.cancelAnswered(world.cancelTickets.get(action.ticket)!, action.state ?? "");
        break;
      case "park":
        park(action.entries);
        break;
      case "store-checkpoint":
        storeCheckpoint(action);
        break;
      case "sweep-checkpoints": {
        const named = new Set(action.named);
        after(world, process, 5, () => {
          if (!lease?.isSafe()) return;
          for (const object of broker.objects.keys())
            if (!named.has(object) && !storing.has(object)) broker.objects.delete(object);
        });
        break;
      }
      case "trim":
        after(world, process, random.between(1, 20), () => {
          if (!broker.away && process.connected) trim<unknown>(world[action.stream], action.below);
        });
        break;
      case "stop-owning":
        lease?.release();
        lease = undefined;
        break;
      case "alarm":
        world.trace(() => `${name} alarm ${action.what} ${JSON.stringify(action.details)}`);
        if (action.what === "log-gap") after(world, process, 0, () => restart());
        break;
    }
  }

  const storing = new Set<string>();

  function restart(): void {
    process.life++;
    start();
  }

  function append({ expected, head, records }: Extract<Action, { do: "append" }>): void {
    const composed = records.map((draft) => compose(world, draft));
    const bytes = composed.length * RECORD_BYTES;
    world.trace(
      () =>
        `${name} appends after ${expected}: ${composed.map((record) => `${record.type} ${"id" in record ? record.id.slice(0, 8) : ""}`).join(", ")}`,
    );
    publish(
      world,
      process,
      world.outcomes,
      { data: { head, records: composed }, bytes, expected, stored: () => truth.decided(process, composed) },
      (answer) => {
        const { epoch } = head;
        if (answer.ok) apply({ type: "appended", epoch, sequence: answer.sequence });
        else apply({ type: "append-failed", epoch, how: answer.how });
        if (!answer.ok && answer.how === "not-stored")
          truth.fail("L23: OUTCOMES is full, what runs cannot be appended");
      },
    );
  }

  function readTail(): void {
    after(world, process, random.between(1, 5), () => {
      if (broker.away || !process.connected) return readTail();
      const last = lastOf(world.outcomes);
      cursors.outcomes.next = Math.max(cursors.outcomes.next, world.outcomes.first);
      while (cursors.outcomes.next <= last) feedOutcomes(cursors.outcomes.next++);
      apply({ type: "tail-read", last });
    });
  }

  function work({ executor, head, entries }: Extract<Action, { do: "work" }>): void {
    for (const entry of entries) {
      if (entry.type !== "run") continue;
      const { stream, sequence, index } = entry.place;
      const message = readAt<unknown>(world[stream], sequence);
      const ids =
        message &&
        (stream === "parked"
          ? world.parked.all[sequence - 1]!.data
          : world.invocations.all[sequence - 1]!.data.heads.map(({ id }) => id));
      if (ids?.[index] !== entry.id)
        truth.fail(`L22: the envelope of ${entry.id} is not in ${stream} at ${sequence}/${index}`);
      if (truth.handedOut(entry.id, entry.attempt)) checkLimit(entry.id);
    }
    const sentAt = timeline.now;
    toExecutor(executor, (known) => known.work(process, head, entries, sentAt));
  }

  function toExecutor(executor: string, receive: (executor: (typeof world.executors)[number]) => void): void {
    const known = world.executors.find((candidate) => candidate.process.name === executor);
    if (!known || world.cut.has(`${name}>${executor}`)) return;
    send(world, process, known.process, () => receive(known));
  }

  function park(entries: Extract<Action, { do: "park" }>["entries"]): void {
    if (world.invocations.bytes >= 0.9 * world.invocations.maxBytes) world.reach("park under a full stream");
    const ids = entries.map(({ id }) => id);
    publish(world, process, world.parked, { data: ids, bytes: ids.length * ENVELOPE_BYTES }, (answer) => {
      if (!answer.ok) return apply({ type: "park-failed" });
      apply({ type: "parked", places: ids.map((id, index) => ({ id, sequence: answer.sequence, index })) });
    });
  }

  function storeCheckpoint({ object, parts }: Extract<Action, { do: "store-checkpoint" }>): void {
    for (const part of parts) storing.add(part.object);
    after(world, process, random.between(5, 200), () => {
      const failed = broker.away || !process.connected || random.chance(0.05);
      if (!failed) for (const part of parts) broker.objects.set(part.object, part.bytes);
      apply(failed ? { type: "checkpoint-failed", object } : { type: "checkpoint-stored", object });
      for (const part of parts) storing.delete(part.object);
    });
  }

  return replica;
}
