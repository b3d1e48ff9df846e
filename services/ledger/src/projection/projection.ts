import { Worker } from "node:worker_threads";
import { FnbusError } from "@fnbus/contract";
import type { Logger } from "@fnbus/telemetry";
import type { ProjectionOptions, QueryMessage, QueryName, WorkerMessage } from "./messages.ts";
import type { Queries } from "./queries.ts";

/** Questions that wait for the worker at once (I11). */
const PENDING_MAX = 10_000;
const RESTART_MS = 1000;

type Asked<Q extends QueryName> = Promise<ReturnType<Queries[Q]>>;

/** The projection as the ledger's thread sees it. */
export interface Projection {
  /** Throws `ledger_unavailable` while the worker is down, `overloaded` when too many questions wait. */
  ask<Q extends QueryName>(query: Q, ...values: Parameters<Queries[Q]>): Asked<Q>;
  /** Committed log positions. Nothing beyond them may be trimmed (L22). */
  positions(): { outcomes: number; records: number };
  /** Whether OUTCOMES has been committed up to `sequence` within `timeoutMs`. */
  passed(sequence: number, timeoutMs: number): Promise<boolean>;
  stop(): Promise<void>;
}

/** Starts the worker thread, and starts it again when it dies: its store carries its own position. */
export function createProjection(options: ProjectionOptions, logger: Logger): Projection {
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const waiting = new Set<{ sequence: number; settle(passed: boolean): void }>();
  let positions = { outcomes: 0, records: 0 };
  let lastNumber = 0;
  let stopped = false;
  let alive = false;
  let worker = start();
  let restart: NodeJS.Timeout | undefined;

  function start(): Worker {
    const started = new Worker(new URL("./worker.ts", import.meta.url), { workerData: options });
    alive = true;
    started.on("message", take);
    started.on("error", (error) => logger.error({ err: error }, "the look-up's projection failed"));
    started.on("exit", () => {
      alive = false;
      for (const { reject } of pending.values()) reject(new FnbusError("ledger_unavailable"));
      pending.clear();
      if (!stopped)
        restart = setTimeout(() => {
          worker = start();
        }, RESTART_MS);
    });
    return started;
  }

  function take(message: WorkerMessage): void {
    if (message.type === "position") {
      positions = { outcomes: message.outcomes, records: message.records };
      for (const waiter of waiting) if (waiter.sequence <= positions.outcomes) waiter.settle(true);
    } else if (message.type === "fault") {
      logger.error({ fault: message.text }, "the look-up's projection met something it cannot read");
    } else {
      const asked = pending.get(message.number);
      pending.delete(message.number);
      if (message.type === "answer") asked?.resolve(message.value);
      else asked?.reject(new FnbusError("internal", undefined, { cause: message.message }));
    }
  }

  return {
    ask<Q extends QueryName>(query: Q, ...values: Parameters<Queries[Q]>): Asked<Q> {
      if (!alive) return Promise.reject(new FnbusError("ledger_unavailable"));
      if (pending.size >= PENDING_MAX) return Promise.reject(new FnbusError("overloaded"));
      const number = ++lastNumber;
      return new Promise<unknown>((resolve, reject) => {
        pending.set(number, { resolve, reject });
        worker.postMessage({ number, query, values } satisfies QueryMessage);
      }) as Asked<Q>;
    },
    positions: () => positions,
    passed(sequence, timeoutMs) {
      if (sequence <= positions.outcomes) return Promise.resolve(true);
      return new Promise((resolve) => {
        const timer = setTimeout(() => waiter.settle(false), timeoutMs);
        const waiter = {
          sequence,
          settle(passed: boolean) {
            clearTimeout(timer);
            waiting.delete(waiter);
            resolve(passed);
          },
        };
        waiting.add(waiter);
      });
    },
    async stop() {
      stopped = true;
      clearTimeout(restart);
      if (!alive) return;
      const exited = new Promise((resolve) => worker.once("exit", resolve));
      worker.postMessage("stop");
      await exited;
    },
  };
}
