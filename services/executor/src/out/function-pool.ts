import { FnbusError, type FunctionDefinition, toFnbusError } from "@fnbus/contract";
import type { RunError } from "../core/failures.ts";
import type { RunEnd, RunRequest, StartedRun } from "../core/runs.ts";
import { countToStart } from "../core/scaling.ts";
import type { Instance, OpenCall } from "./instance.ts";
import { LoadFailure, type StartInstance } from "./start-instance.ts";

interface Waiting {
  request: RunRequest;
  onEnd: (end: RunEnd) => void;
  queuedAt: number;
  running?: { instance: Instance; call: OpenCall };
}

/** Runs that wait for an instance of one function; callers bound theirs lower. */
const QUEUE_LIMIT = 10_000;

/** Room on this executor, across functions. */
export interface Budget {
  /** Takes room for one instance, if need be by ending another function's idle one. */
  reserve(definition: FunctionDefinition): boolean;
  /** An instance of the function is gone for good. */
  release(definition: FunctionDefinition): void;
  /** Whether another function waits for room and has no instance at all. */
  isWanted(): boolean;
}

/** Warm instances of one function in one form (same fingerprint), and the runs that wait for them. */
export function createFunctionPool(
  definition: FunctionDefinition,
  startInstance: StartInstance,
  budget: Budget,
  executor: string,
) {
  const { perInstance, prestart, limit } = definition.settings.concurrency;
  const maxInstances = Math.ceil((2 * limit) / perInstance);
  const queue: Waiting[] = [];
  /** With a free place, the one used last at the end: what is idle longest stays idle, and is reaped. */
  const ready: Instance[] = [];
  const alive = new Set<Instance>();
  let starting = 0;
  let retired = false;

  function assign(waiting: Waiting): void {
    const instance = ready.at(-1)!;
    const call = instance.run(waiting.request, waiting.onEnd);
    waiting.running = { instance, call };
    if (instance.openCalls >= perInstance) ready.pop();
  }

  function pump(now: number): void {
    while (queue.length > 0 && ready.length > 0) assign(queue.shift()!);
    if (queue.length === 0) return;
    const waitedMs = now - queue[0]!.queuedAt;
    const load = { queued: queue.length, waitedMs, instances: alive.size + starting, starting, perInstance };
    for (let count = countToStart(load); count > 0; count--) if (!startOne()) return;
  }

  function startOne(): boolean {
    if (alive.size + starting >= maxInstances || !budget.reserve(definition)) return false;
    starting++;
    let instance: Instance | undefined;
    const on = {
      free: () => freed(instance!),
      gone: () => left(instance!),
    };
    startInstance(definition, on).then(
      (started) => {
        starting--;
        instance = started;
        alive.add(started);
        void started.ended.then(() => {
          alive.delete(started);
          budget.release(definition);
          pump(performance.now());
        });
        if (started.isGone) return;
        ready.push(started);
        settle();
      },
      (error: unknown) => {
        starting--;
        budget.release(definition);
        failWaiting(error);
      },
    );
    return true;
  }

  function freed(instance: Instance): void {
    const now = performance.now();
    instance.idleSince = now;
    if (instance.openCalls === perInstance - 1) ready.push(instance);
    if (queue.length > 0) pump(now);
    else settle();
  }

  /** An instance that nobody needs here may be needed elsewhere. */
  function settle(): void {
    pump(performance.now());
    if (retired || (alive.size > 1 && budget.isWanted())) ready.findLast((one) => one.openCalls === 0)?.kill();
  }

  function left(instance: Instance | undefined): void {
    const index = instance ? ready.indexOf(instance) : -1;
    if (index >= 0) ready.splice(index, 1);
  }

  /** A start failed: the run that it was for hears why. Another start follows where more wait. */
  function failWaiting(thrown: unknown): void {
    const failed = thrown instanceof LoadFailure ? queue.splice(0) : queue.splice(0, perInstance);
    for (const { onEnd } of failed) onEnd(toFailedStart(thrown, executor));
    pump(performance.now());
  }

  return {
    definition,
    submit(request: RunRequest, onEnd: (end: RunEnd) => void): StartedRun {
      const now = performance.now();
      const waiting: Waiting = { request, onEnd, queuedAt: now };
      if (queue.length >= QUEUE_LIMIT) {
        setImmediate(onEnd, { kind: "not-run", code: "overloaded", message: "too many runs wait" } satisfies RunEnd);
        return { cancel: () => {}, withdraw: () => false };
      }
      queue.push(waiting);
      pump(now);
      const withdraw = (): boolean => {
        const index = queue.indexOf(waiting);
        if (index >= 0) queue.splice(index, 1);
        return index >= 0;
      };
      return {
        withdraw,
        cancel() {
          if (waiting.running) waiting.running.instance.cancel(waiting.running.call);
          else if (withdraw()) onEnd({ kind: "not-run", code: "cancelled", message: "cancelled before it ran" });
        },
      };
    },
    /** Deadlines of what runs and waits, and more instances where the queue stands. */
    tick(now: number): void {
      for (const instance of alive) if (instance.openCalls > 0) instance.enforceDeadlines(now);
      for (let index = queue.length - 1; index >= 0; index--) {
        const { request, onEnd } = queue[index]!;
        if (now < request.endsAt) continue;
        queue.splice(index, 1);
        onEnd({ kind: "not-run", code: request.whenOver, message: "the call's time was over before it could run" });
      }
      if (queue.length > 0) pump(now);
    },
    /** Once a second: what was idle for too long ends, what should stand ready is started. */
    keep(now: number, idleMs: number): void {
      const spare = ready.filter((one) => one.openCalls === 0 && now - one.idleSince > idleMs);
      for (const one of spare.slice(0, Math.max(0, alive.size - prestart))) one.kill();
      for (let count = alive.size + starting; !retired && count < prestart; count++) if (!startOne()) return;
    },
    /** Idle since when, of its longest idle instance; undefined: none is idle. */
    idleSince: (): number | undefined => ready.find((one) => one.openCalls === 0)?.idleSince,
    /** Resolves when its room is free; undefined: none is idle. */
    endLongestIdle(): Promise<unknown> | undefined {
      const longest = ready.find((one) => one.openCalls === 0);
      longest?.kill();
      return longest?.ended;
    },
    /** The function changed or is gone: idle instances end, busy ones with their last run. */
    retire(): void {
      retired = true;
      for (const one of ready.filter((candidate) => candidate.openCalls === 0)) one.kill();
    },
    stop(): Promise<unknown> {
      retired = true;
      for (const one of alive) one.kill();
      return Promise.all([...alive].map((one) => one.ended));
    },
    get instances(): number {
      return alive.size + starting;
    },
    get queued(): number {
      return queue.length;
    },
    get isBusy(): boolean {
      return queue.length > 0 || starting > 0 || [...alive].some((one) => one.openCalls > 0);
    },
  };
}
export type FunctionPool = ReturnType<typeof createFunctionPool>;

/** I9: the function's own fault is a result of it; ours is none. */
function toFailedStart(thrown: unknown, executor: string): RunEnd {
  if (!(thrown instanceof LoadFailure)) {
    const { code, message, details } = thrown instanceof FnbusError ? thrown : toFnbusError(thrown);
    return { kind: "not-run", code, message, ...(details ? { details } : {}) };
  }
  const error: RunError = thrown.error;
  const result = { statusCode: 0, headers: [], error, startedAt: Date.now(), durationMs: 0, cold: true, executor };
  return { kind: "ran", result, body: new Uint8Array(0) };
}
