import type { Bus } from "@fnbus/bus";
import type { Verdict } from "@fnbus/contract";
import type { Logger } from "@fnbus/telemetry";
import { readMessage } from "./messages.ts";

/** A pack whose verdict is late is repeated: the ledger answers a repeat as it answered first. */
export const VERDICT_TIMEOUT_MS = 1_500;

/** The ledger's verdicts (L11) on an inbox of this publisher's, which the packs name. */
export interface Verdicts {
  readonly inbox: string;
  /** The next verdict on an id. Settles with undefined when `signal` ends the wait. */
  next(id: string, signal: AbortSignal): Promise<Verdict | undefined>;
  close(): void;
}

export function createVerdicts(bus: Bus, logger: Logger): Verdicts {
  const waiting = new Map<string, (verdict: Verdict) => void>();
  const inbox = bus.createInbox(({ data }) => {
    const said = readMessage<{ verdicts: Verdict[] }>(data, logger);
    for (const verdict of said?.verdicts ?? []) waiting.get(verdict.id)?.(verdict);
  });
  return {
    inbox: inbox.subject,
    next(id, signal) {
      return new Promise((resolve) => {
        const settle = (verdict: Verdict | undefined) => {
          if (waiting.get(id) === settle) waiting.delete(id);
          signal.removeEventListener("abort", onAbort);
          resolve(verdict);
        };
        const onAbort = () => settle(undefined);
        waiting.set(id, settle);
        signal.addEventListener("abort", onAbort, { once: true });
      });
    },
    close: () => inbox.close(),
  };
}
