import { type RegisteredFunction, toFnbusError } from "@fnbus/contract";
import type { Publisher } from "@fnbus/publisher";
import type { Logger } from "@fnbus/telemetry";
import type { Health } from "./health.ts";
import { createPatience } from "./patience.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export interface SendContext {
  health: Health;
  logger: Logger;
  signal: AbortSignal;
}

/**
 * Sends until it is durable: what the platform cannot take now is sent again, the same (LEDGER.md L10: a copy is dropped).
 * Throws what can never be taken (a FnbusError that is not to be repeated), and the signal's reason where that ends the wait.
 */
export async function sendUntil<T>(send: () => Promise<T>, { health, logger, signal }: SendContext): Promise<T> {
  const patience = createPatience(FIRST_PAUSE_MS, LONGEST_PAUSE_MS, signal);
  for (;;) {
    signal.throwIfAborted();
    try {
      return await send();
    } catch (thrown) {
      const error = toFnbusError(thrown);
      if (error.code === "internal") logger.error({ err: thrown }, "events were not published");
      else if (error.row.retry === "no") throw error;
      health.trouble(error.code, error.message);
    }
    await patience.wait();
  }
}

/** Resolves when there is room for more of the function's events; until then the report says what is full (L23). */
export async function waitForRoom(
  publisher: Publisher,
  to: RegisteredFunction,
  { health, signal }: Pick<SendContext, "health" | "signal">,
): Promise<void> {
  try {
    publisher.check(to, false);
  } catch (error) {
    const { code, message } = toFnbusError(error);
    health.trouble(code, message);
    await publisher.whenRoom(to, false, signal);
  }
}
