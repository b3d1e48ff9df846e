import { FnbusError, type InvocationState } from "@fnbus/contract";
import type { CoreEvent } from "./core/index.ts";

/** A cancel is answered when it is appended (L18); a broker that is away for so long answers nothing. */
const CANCEL_TIMEOUT_MS = 10_000;
/** Cancels under way at once (I11). */
const CANCELS_MAX = 10_000;

/** Cancels between their question and the core's answer. */
export interface Cancels {
  /** The state after it; undefined: no such invocation. Throws `overloaded`, `ledger_unavailable`. */
  ask(id: string): Promise<InvocationState | undefined>;
  answer(ticket: number, state: InvocationState | undefined): void;
}

export function createCancels(apply: (event: CoreEvent) => void): Cancels {
  const open = new Map<number, (state: InvocationState | undefined) => void>();
  let lastTicket = 0;
  return {
    ask(id) {
      if (open.size >= CANCELS_MAX) return Promise.reject(new FnbusError("overloaded"));
      const ticket = ++lastTicket;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          open.delete(ticket);
          reject(new FnbusError("ledger_unavailable", "whether it was cancelled is not known"));
        }, CANCEL_TIMEOUT_MS);
        open.set(ticket, (state) => {
          clearTimeout(timer);
          open.delete(ticket);
          resolve(state);
        });
        apply({ type: "cancel", ticket, id });
      });
    },
    answer: (ticket, state) => open.get(ticket)?.(state),
  };
}
