import type { BusErrorCode } from "./types.ts";

/** A failed operation on the bus, asked by code instead of by message. */
export class BusError extends Error {
  readonly code: BusErrorCode;
  constructor(code: BusErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "BusError";
    this.code = code;
  }
  /** Whether the operation may have happened all the same. */
  get isInDoubt(): boolean {
    return this.code === "timeout" || this.code === "disconnected";
  }
}

export const isBusError = (thrown: unknown, ...codes: BusErrorCode[]): thrown is BusError =>
  thrown instanceof BusError && (codes.length === 0 || codes.includes(thrown.code));
