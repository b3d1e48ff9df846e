/** What user code threw, as the platform reports it: type, message, stack, and the line of the function's own code. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const STACK_LINES = 32;
const TEXT_CHARS = 8192;

const cut = (text) => (text.length > TEXT_CHARS ? `${text.slice(0, TEXT_CHARS)}…` : text);

/** First place in the function's own code that a stack names: { file, line }. */
function findPlace(stack, codeRoot) {
  for (const match of stack.matchAll(/(file:\/\/\/[^\s():]+|\/[^\s():]+):(\d+)/g)) {
    const file = match[1].startsWith("file:") ? fileURLToPath(match[1]) : match[1];
    if (file.startsWith(`${codeRoot}/`)) return { file, line: Number(match[2]) };
  }
  return undefined;
}

function readLine(place) {
  try {
    return readFileSync(place.file, "utf8").split("\n")[place.line - 1]?.trim().slice(0, 512) ?? "";
  } catch {
    return "";
  }
}

/** A failure with a code of the platform's error table, from anything that was thrown. */
export function toFailure(code, thrown, codeRoot) {
  const isError = thrown instanceof Error;
  const message = cut(isError ? String(thrown.message) : safeText(thrown));
  const stack = isError && typeof thrown.stack === "string" ? thrown.stack : "";
  const type = isError ? String(thrown.name ?? thrown.constructor?.name ?? "Error") : typeof thrown;
  const place = findPlace(stack, codeRoot);
  return {
    code,
    message,
    type,
    stack: stack
      .split("\n")
      .slice(0, STACK_LINES)
      .map((line) => line.slice(0, 512)),
    details: {
      exception_info: message,
      exception_type: type,
      ...(place
        ? {
            exception_line_number: place.line,
            exception_line_code: readLine(place),
            file: place.file.slice(codeRoot.length + 1),
          }
        : {}),
    },
  };
}

function safeText(value) {
  try {
    return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  } catch {
    return String(value);
  }
}

/** The body that FunctionGraph gives for a function's error (wire-compatibility.md 4.1). */
export const toErrorPayload = (failure, how) =>
  Buffer.from(
    JSON.stringify({
      errorMessage: `${how}, error: ${failure.message}`,
      errorType: failure.type,
      ...(how === "function invocation exception" ? { stackTrace: failure.stack } : {}),
    }),
  );
