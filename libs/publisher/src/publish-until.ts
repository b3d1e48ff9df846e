import { isBusError } from "@fnbus/bus";
import { FnbusError } from "@fnbus/contract";

/** Between tries of a publish that was refused or cut off. */
const REPEAT_AFTER_MS = 50;

/**
 * Publishes the same bytes until they are acknowledged: a second copy of an id is dropped by the ledger (L9).
 * Throws `accept_unknown` where it may be stored, else `broker_unavailable`, `storage_full`, `headers_too_large`, `stopping`.
 */
export async function publishUntil(publish: () => Promise<unknown>, id: string, untilMs: number): Promise<void> {
  let inDoubt = false;
  for (;;) {
    try {
      await publish();
      return;
    } catch (error) {
      if (!isBusError(error)) throw error;
      inDoubt ||= error.isInDoubt;
      const isFinal = error.code === "full" || error.code === "too_large" || error.code === "closed";
      if (isFinal || performance.now() + REPEAT_AFTER_MS >= untilMs) throw toRefusal(error.code, inDoubt, id);
    }
    await new Promise((resolve) => setTimeout(resolve, REPEAT_AFTER_MS));
  }
}

/** Whether it may be stored all the same. */
export const isUnknown = (error: unknown): boolean => error instanceof FnbusError && error.code === "accept_unknown";

function toRefusal(code: string, inDoubt: boolean, id: string): FnbusError {
  if (inDoubt) return new FnbusError("accept_unknown", undefined, { details: { id } });
  if (code === "full") return new FnbusError("storage_full", undefined, { retryAfterSeconds: 5 });
  if (code === "closed") return new FnbusError("stopping");
  if (code === "too_large") return new FnbusError("headers_too_large", "the envelope is larger than the broker takes");
  return new FnbusError("broker_unavailable");
}
