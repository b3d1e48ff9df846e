import { type ErrorCode, type FnbusError, type HeaderList, limits, toAnswerHeaders } from "@fnbus/contract";

export type Answer =
  | { statusCode: number; headers: HeaderList }
  | { error: { code: ErrorCode; message: string; details?: Record<string, unknown> } };

/** Far over what headers within their limits come to as JSON: more would hold up the other functions while it is parsed. */
const MAX_JSON_CHARS = 8 * limits.headerBytes;

/**
 * A runner's result, judged: its JSON is `{"s": status, "h": [[name, value], ...]}` and comes from user code's process.
 * Over `limits.responseBodyBytes`: `function_result_too_large`. A status or header that may not leave: `function_result_invalid`.
 */
export function readAnswer(json: string, bodyBytes: number): Answer {
  if (bodyBytes > limits.responseBodyBytes)
    return {
      error: {
        code: "function_result_too_large",
        message: `the answer has ${bodyBytes} bytes, the limit is ${limits.responseBodyBytes}`,
        details: { bytes: bodyBytes, limitBytes: limits.responseBodyBytes },
      },
    };
  if (json.length > MAX_JSON_CHARS)
    return { error: { code: "function_result_invalid", message: "the headers are too many or too large" } };
  let value: { s?: unknown; h?: unknown };
  try {
    value = JSON.parse(json) as typeof value;
  } catch {
    return { error: { code: "function_protocol", message: "the runner's result is no JSON" } };
  }
  const { s: status, h: headers } = value ?? {};
  if (!Number.isInteger(status) || (status as number) < 200 || (status as number) > 599 || !isHeaderList(headers))
    return { error: { code: "function_result_invalid", message: "status or headers cannot be sent" } };
  try {
    return { statusCode: status as number, headers: toAnswerHeaders(headers) };
  } catch (thrown) {
    return { error: { code: "function_result_invalid", message: (thrown as FnbusError).message } };
  }
}

const isHeaderList = (value: unknown): value is HeaderList =>
  Array.isArray(value) &&
  value.every((line) => Array.isArray(line) && typeof line[0] === "string" && typeof line[1] === "string");
