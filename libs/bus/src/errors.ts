import { JetStreamApiError } from "@nats-io/jetstream";
import { NoRespondersError, RequestError, TimeoutError } from "@nats-io/transport-node";
import type { BusErrorCode } from "./types.ts";

/** A failed operation on the bus, asked by code instead of by message. */
export class BusError extends Error {
  readonly code: BusErrorCode;
  /** Of `wrong_sequence`, where the server said it: the last sequence of the subject. */
  readonly lastSequence: number | undefined;
  constructor(code: BusErrorCode, message: string, options?: { cause?: unknown; lastSequence?: number }) {
    super(message, options);
    this.name = "BusError";
    this.code = code;
    this.lastSequence = options?.lastSequence;
  }
  /** Whether the operation may have happened all the same. */
  get isInDoubt(): boolean {
    return this.code === "timeout" || this.code === "disconnected";
  }
}

export const isBusError = (thrown: unknown, ...codes: BusErrorCode[]): thrown is BusError =>
  thrown instanceof BusError && (codes.length === 0 || codes.includes(thrown.code));

/** What a JetStream server answers when it refuses: `err_code` is stable, the description is not. */
export interface ApiFault {
  code?: number;
  err_code?: number;
  description?: string;
}

/** The server's numbers (nats-server, server/errors.json). */
const faults: Record<number, BusErrorCode> = {
  10071: "wrong_sequence",
  10164: "wrong_sequence",
  10002: "full",
  10023: "full",
  10028: "full",
  10047: "full",
  10054: "too_large",
  10014: "not_found",
  10037: "not_found",
  10059: "not_found",
  10058: "mismatch",
};
const STORE_FAILED = 10_077;

/** A refusal as one of ours. 10077 is "not stored" for whatever reason; only a reached limit is `full`. */
export function toRefusal(fault: ApiFault, what: string): BusError {
  const text = fault.description ?? "refused";
  const number = fault.err_code ?? 0;
  if (number === STORE_FAILED)
    return new BusError(text.includes("maximum") ? "full" : "not_stored", `${what}: ${text}`);
  const last = /wrong last sequence: (\d+)/.exec(text)?.[1];
  return new BusError(faults[number] ?? "not_stored", `${what}: ${text}`, {
    ...(last === undefined ? {} : { lastSequence: Number(last) }),
  });
}

/** Whatever the client library threw, as one of ours. */
export function toBusError(thrown: unknown, what: string): BusError {
  if (thrown instanceof BusError) return thrown;
  if (thrown instanceof JetStreamApiError) {
    const { err_code, description } = thrown.apiError();
    return toRefusal({ err_code, description }, what);
  }
  const { message } = thrown as Error;
  if (thrown instanceof TimeoutError) return new BusError("timeout", `${what}: no answer in time`, { cause: thrown });
  if (thrown instanceof NoRespondersError || (thrown instanceof RequestError && thrown.isNoResponders()))
    return new BusError("no_responders", `${what}: nobody answers`, { cause: thrown });
  return new BusError("disconnected", `${what}: ${message}`, { cause: thrown });
}

/**
 * For a handler that threw: a fault of ours, not of a message, so it ends the process as an uncaught error instead of
 * being swallowed by the client library's loop.
 */
export function raise(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
