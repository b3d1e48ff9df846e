import { isBusError } from "@fnbus/bus";
import { type ErrorCode, type ErrorExtra, FnbusError } from "@fnbus/contract";

/** A failed operation on the bus as the caller is told of it; what is not the bus's stays as it is. */
export function toPlatformError(thrown: unknown, code: ErrorCode, extra: ErrorExtra = {}): unknown {
  return isBusError(thrown) ? new FnbusError(code, undefined, { cause: thrown, ...extra }) : thrown;
}
