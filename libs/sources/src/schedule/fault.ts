import { FnbusError } from "@fnbus/contract";

export interface Fault {
  /** Where in the text as it was told, counted from 1. */
  position: number;
  field?: string;
  /** What would be right there. */
  expected: string;
}

/** A schedule that cannot be read: the message names the fault and what would be right in its place. */
export const toScheduleError = (what: string, fault: Fault): FnbusError => {
  const where = fault.field === undefined ? "" : ` (${fault.field})`;
  return new FnbusError(
    "schedule_invalid",
    `${what} at position ${fault.position}${where}: expected ${fault.expected}.`,
    { details: { ...fault } },
  );
};
