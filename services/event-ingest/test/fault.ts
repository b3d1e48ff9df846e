import type { FnbusError } from "@fnbus/contract";

/** The code that `act` throws, and the field that it names. */
export function faultOf(act: () => unknown): [code: string, field?: unknown] {
  try {
    act();
  } catch (error) {
    const { code, details } = error as FnbusError;
    return details?.field === undefined ? [code] : [code, details.field];
  }
  return ["nothing"];
}
