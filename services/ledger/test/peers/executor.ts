import { randomBytes } from "node:crypto";
import type { Bus } from "@fnbus/bus";
import {
  type Announcement,
  buckets,
  decodeEntryPack,
  decodeFrame,
  type EnvelopeMeta,
  encodeEntryPack,
  type ResultEntry,
  type RunResult,
  subjects,
  type WorkEntry,
  type WorkHead,
} from "@fnbus/contract";

/** What user code does: a body, or an error, or nothing until it is cancelled. */
export type Run = (call: { meta: EnvelopeMeta; body: string; attempt: number; executor: string }) => Promise<string>;

export interface ExecutorPeer {
  name: string;
  /** Every start, in order: id and attempt. */
  started: { id: string; attempt: number }[];
  cancelled: string[];
  /** Says and hears nothing any more, as a machine that lost its network. */
  silence(): void;
  stop(): void;
}

const EVERY_MS = 200;

/** An executor that speaks the contract over the bus and runs `run` instead of user code (L14 .. L16). */
export function startExecutor(bus: Bus, pool: string, run: Run, capacity = 100): ExecutorPeer {
  const name = `peer-${randomBytes(4).toString("hex")}`;
  const started: ExecutorPeer["started"] = [];
  const cancelled: string[] = [];
  const holding = new Map<string, { attempt: number; result?: { meta: ResultEntry; body: Buffer } }>();
  let epoch = 0;
  let applied = 0;
  let silent = false;

  const announcement = (): Announcement => ({
    executor: name,
    pool,
    capacity,
    draining: false,
    isolation: "process",
    memoryLimits: false,
    partitions: { 0: { epoch, applied, holds: [...holding].map(([id, { attempt }]) => [id, attempt]) } },
    warm: [],
    calls: {},
  });
  const say = (subject: string, data: Buffer) => {
    if (!silent && bus.isConnected()) bus.publish(subject, data);
  };
  const announce = () => say(subjects.announceExecutors, Buffer.from(JSON.stringify(announcement())));
  const sendResults = (entries: { meta: ResultEntry; body: Buffer }[]) =>
    say(subjects.results(0), encodeEntryPack({ executor: name, partition: 0, epoch, applied }, entries));

  async function start(id: string, attempt: number, frame: Uint8Array): Promise<void> {
    const { meta, body } = decodeFrame(Buffer.from(frame));
    started.push({ id, attempt });
    holding.set(id, { attempt });
    const startedAt = Date.now();
    const result: RunResult = { statusCode: 200, headers: [], startedAt, durationMs: 0, cold: false, executor: name };
    let text = "";
    try {
      text = await run({ meta, body: Buffer.from(body).toString("utf8"), attempt, executor: name });
    } catch (error) {
      result.statusCode = 0;
      result.error = { code: "function_threw", message: (error as Error).message };
    }
    result.durationMs = Date.now() - startedAt;
    if (holding.get(id)?.attempt !== attempt) return;
    const made = { meta: { type: "result" as const, id, attempt, result }, body: Buffer.from(text) };
    holding.set(id, { attempt, result: made });
    sendResults([made]);
  }

  function take(entry: WorkEntry, body: Uint8Array): void {
    if (entry.type === "run") void start(entry.id, entry.attempt, body);
    else if (entry.type === "cancel") {
      cancelled.push(entry.id);
      holding.delete(entry.id);
    } else for (const id of entry.ids) holding.delete(id);
  }

  const follow = (next: number) => {
    if (next <= epoch) return;
    epoch = next;
    applied = 0;
  };
  void bus.keyValue(buckets.leases).then((leases) =>
    leases.watch(({ key, value }) => {
      if (key !== "ledger.0" || !value) return;
      follow((JSON.parse(Buffer.from(value).toString("utf8")) as { epoch: number }).epoch);
      announce();
    }),
  );

  const subscriptions = [
    bus.subscribe(subjects.work(name), ({ data }) => {
      if (silent) return;
      const { head, entries } = decodeEntryPack<WorkHead, WorkEntry>(data);
      if (head.epoch < epoch) return;
      follow(head.epoch);
      if (head.number === applied + 1) {
        applied = head.number;
        for (const { meta, body } of entries) take(meta, body);
      }
      sendResults([]);
    }),
    bus.subscribe(subjects.holds(name), (message) => {
      follow((JSON.parse(Buffer.from(message.data).toString("utf8")) as { epoch: number }).epoch);
      if (!silent) message.respond(Buffer.from(JSON.stringify(announcement())));
    }),
  ];
  const timer = setInterval(() => {
    announce();
    const ready = [...holding.values()].flatMap(({ result }) => (result ? [result] : []));
    if (ready.length > 0) sendResults(ready.slice(0, 200));
  }, EVERY_MS);
  announce();
  return {
    name,
    started,
    cancelled,
    silence() {
      silent = true;
    },
    stop() {
      clearInterval(timer);
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}
