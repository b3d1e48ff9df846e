import type { CheckAnswer } from "@fnbus/contract";
import type { RunError } from "./failures.ts";

/**
 * What a failed load means for a deployment. Source that does not parse and a handler that is not there are refused;
 * anything else may be right at run time (an import that needs the network or a setting), so it is a warning.
 */
export function toCheckAnswer(error: RunError): CheckAnswer {
  const { message, details = {} } = error;
  const { syntax, file } = details as { syntax?: { line: number; text: string }; file?: string };
  if (error.code === "function_handler_missing") {
    const { exception_info: _info, exception_type: _type, ...missing } = details;
    return { ok: false, code: "handler_missing", message, details: missing };
  }
  if (syntax)
    return {
      ok: false,
      code: "source_invalid",
      message: `line ${syntax.line}: ${message}`,
      details: { line: syntax.line, text: syntax.text, ...(file ? { file } : {}) },
    };
  const what = error.type ? `${error.type}: ${message}` : message;
  return { ok: true, warnings: [`the code could not be loaded now: ${what}`] };
}
