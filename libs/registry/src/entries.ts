import { isBusError } from "@fnbus/bus";
import { FnbusError } from "@fnbus/contract";

/** Values of both buckets are JSON texts. */
export const encode = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

export const decode = <T>(value: Uint8Array): T => JSON.parse(Buffer.from(value).toString("utf8")) as T;

/** Not written by us: an entry that cannot be read is as good as none, and must not stop every service. */
export function warnUnreadable(key: string, error: unknown): void {
  process.emitWarning(`entry ${key} cannot be read: ${(error as Error).message}`);
}

/** Turns whatever a bucket refused into one of the platform's errors; a code that the caller expects passes. */
export async function write<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isBusError(error, "exists", "wrong_sequence", "not_found")) throw error;
    if (isBusError(error, "full")) throw new FnbusError("storage_full", error.message, { cause: error });
    if (isBusError(error)) throw new FnbusError("broker_unavailable", error.message, { cause: error });
    throw error;
  }
}
