import type { Bus, BusMessage } from "@fnbus/bus";
import {
  decodeEntryPack,
  decodeFrame,
  type EnvelopeMeta,
  type RegisteredFunction,
  type ResultEntry,
  subjects,
  toFnbusError,
  type WorkEntry,
  type WorkHead,
} from "@fnbus/contract";
import type { HeldWork, PackActions } from "../core/held-work.ts";
import type { RunEnd, Runs, StartedRun } from "../core/runs.ts";

export interface WorkOptions {
  bus: Bus;
  executor: string;
  runs: Runs;
  held: HeldWork;
  find(meta: EnvelopeMeta): RegisteredFunction | Promise<RegisteredFunction>;
  readBody(meta: EnvelopeMeta): Promise<Uint8Array>;
  /** Says how far the packs are applied, what is refused, and brings results that wait. */
  answer(partition: number, refused: ResultEntry[]): void;
  /** A run has ended: its result is to be held and sent. */
  onResult(id: string, attempt: number, end: RunEnd): void;
  onDamaged(error: unknown): void;
}

/** Work that the ledger hands out by name (LEDGER.md L14 .. L18). */
export function serveWork(options: WorkOptions) {
  const { held } = options;
  const started = new Map<string, { run: StartedRun | undefined; isCancelled: boolean }>();
  let draining = false;

  function receive(message: BusMessage): void {
    let pack: ReturnType<typeof decodeEntryPack<WorkHead, WorkEntry>>;
    try {
      pack = decodeEntryPack<WorkHead, WorkEntry>(message.data);
    } catch (error) {
      options.onDamaged(error);
      return;
    }
    const { head, entries } = pack;
    const actions = held.apply(head, entries, draining);
    if (actions) perform(actions);
    if (held.isNewest(head.partition, head.epoch)) options.answer(head.partition, actions?.refuse ?? []);
  }

  function perform(actions: PackActions): void {
    for (const { id, attempt, leftMs, frame } of actions.start) void start(id, attempt, leftMs, Buffer.from(frame));
    for (const id of [...actions.cancel, ...actions.forget]) {
      const one = started.get(id);
      if (!one) continue;
      one.isCancelled = true;
      one.run?.cancel();
    }
  }

  /** `frame` is a copy: a view would pin the whole pack for as long as the run takes. */
  async function start(id: string, attempt: number, leftMs: number, frame: Buffer): Promise<void> {
    const one: NonNullable<ReturnType<typeof started.get>> = { run: undefined, isCancelled: false };
    started.set(id, one);
    const endsAt = performance.now() + leftMs;
    const end = (how: RunEnd) => {
      if (started.get(id) === one) started.delete(id);
      options.onResult(id, attempt, how);
    };
    try {
      const { meta, body: inline } = decodeFrame(frame);
      const found = await options.find(meta);
      const body = meta.bodyReference ? await options.readBody(meta) : inline;
      if (one.isCancelled) return end({ kind: "not-run", code: "cancelled", message: "cancelled before it ran" });
      const request = { meta, metaJson: JSON.stringify(meta), body, endsAt, whenOver: "expired" } as const;
      one.run = options.runs.start(found, request, end);
    } catch (thrown) {
      const { code, message } = toFnbusError(thrown);
      end({ kind: "not-run", code, message });
    }
  }

  const subscription = options.bus.subscribe(subjects.work(options.executor), receive);
  return {
    /** From now on work is refused as "draining"; what waits for an instance goes back, what runs goes on. */
    drain(): void {
      draining = true;
      for (const [id, { run }] of started) {
        if (!run?.withdraw()) continue;
        started.delete(id);
        const back = held.giveBack(id);
        if (back) options.answer(back.partition, [{ type: "refused", id, attempt: back.attempt, why: "draining" }]);
      }
    },
    stop: (): void => subscription.unsubscribe(),
  };
}
