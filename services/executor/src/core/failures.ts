import { type ErrorCode, isErrorCode, type RunResult } from "@fnbus/contract";

/** A failure as a runner tells it (runtime/PROTOCOL.md). It comes from user code's process: every field is checked. */
export type RunError = NonNullable<RunResult["error"]>;

const told: readonly string[] = [
  "function_threw",
  "function_rejection",
  "function_result_invalid",
  "function_init_failed",
  "function_load_failed",
  "function_handler_missing",
] satisfies ErrorCode[];

const TEXT_CHARS = 8192;
const STACK_LINES = 32;

/** Reads a failure. A code that a runner may not tell (I9: never one of the platform's) is `function_protocol`. */
export function readFailure(json: string): RunError {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(json) as Record<string, unknown>;
  } catch {
    return { code: "function_protocol", message: "the runner's failure is no JSON" };
  }
  const { code, message, type, stack, details } = value ?? {};
  if (typeof code !== "string" || !isErrorCode(code) || !told.includes(code))
    return { code: "function_protocol", message: "the runner's failure has no code" };
  return {
    code,
    message: text(message),
    ...(typeof type === "string" ? { type: text(type) } : {}),
    ...(Array.isArray(stack) ? { stack: stack.slice(0, STACK_LINES).map(text) } : {}),
    ...(typeof details === "object" && details !== null && JSON.stringify(details).length <= 4 * TEXT_CHARS
      ? { details: details as Record<string, unknown> }
      : {}),
  };
}

const text = (value: unknown): string => (typeof value === "string" ? value : String(value)).slice(0, TEXT_CHARS);

/** What the end of a process says, where nothing else did. `output`: the last lines it wrote. */
export function toExitError(
  exit: { code: number | null; signal: string | null },
  outOfMemory: boolean,
  output: string,
): RunError {
  if (outOfMemory || output.includes("JavaScript heap out of memory"))
    return { code: "function_out_of_memory", message: "the function used more memory than it may" };
  const how = exit.signal ? `signal ${exit.signal}` : `status ${exit.code}`;
  return {
    code: "function_exited",
    message: `the function's process ended with ${how} before it answered`,
    details: { exitCode: exit.code, signal: exit.signal },
  };
}
