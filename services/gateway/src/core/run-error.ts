import { FnbusError, type RunResult } from "@fnbus/contract";

type RunError = NonNullable<RunResult["error"]>;

/**
 * A failed run without an answer, as the error that the caller gets. An exception of user code has SmartWorks' details
 * (wire-compatibility.md 7.2) and its message, "ZeroDivisionError at line 9: division by zero".
 */
export function toRunError(error: RunError): FnbusError {
  const facts = error.details ?? {};
  const line = facts.exception_line_number;
  const info = typeof facts.exception_info === "string" ? facts.exception_info : error.message;
  const type = typeof facts.exception_type === "string" ? facts.exception_type : error.type;
  const message = type === undefined || typeof line !== "number" ? error.message : `${type} at line ${line}: ${info}`;
  const details = {
    ...facts,
    ...(error.type !== undefined && type === undefined ? { exception_type: error.type } : {}),
  };
  return new FnbusError(error.code, message, Object.keys(details).length > 0 ? { details } : {});
}
