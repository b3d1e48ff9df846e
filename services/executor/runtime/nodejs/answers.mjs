/** What a handler returned, as status, header lines and raw bytes. */
const EMPTY = Buffer.alloc(0);
const JSON_HEADERS = [["content-type", "application/json"]];
const TEXT_HEADERS = [["content-type", "text/plain; charset=utf-8"]];
const BYTES_HEADERS = [["content-type", "application/octet-stream"]];

/** Thrown for an answer that cannot be sent. */
export class InvalidAnswer extends Error {}

const toBytes = (value) => {
  if (Buffer.isBuffer(value)) return value;
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  return ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : undefined;
};

/** { status, headers, body } of a plain value: JSON, text or bytes. */
export function toPlainAnswer(value) {
  if (typeof value === "string") return { status: 200, headers: TEXT_HEADERS, body: Buffer.from(value) };
  const bytes = toBytes(value);
  if (bytes) return { status: 200, headers: BYTES_HEADERS, body: bytes };
  let text;
  try {
    text = JSON.stringify(value === undefined ? null : value);
  } catch (error) {
    throw new InvalidAnswer(`the answer is no JSON: ${error.message}`);
  }
  if (text === undefined) throw new InvalidAnswer(`the answer is a ${typeof value}, which is no JSON`);
  return { status: 200, headers: JSON_HEADERS, body: Buffer.from(text) };
}

const isAnswer = (value) =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !toBytes(value) &&
  ("status" in value || "statusCode" in value || "status_code" in value || ("body" in value && "headers" in value));

/** The answer of a request handler: {status|statusCode|status_code, headers, body}, or a plain value (spec 7.3). */
export function toRequestAnswer(value) {
  if (value === undefined || value === null) return { status: 200, headers: [], body: EMPTY };
  if (!isAnswer(value)) return toPlainAnswer(value);
  const status = value.status ?? value.statusCode ?? value.status_code ?? 200;
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new InvalidAnswer(`the status is ${JSON.stringify(status)}: answer a number from 200 to 599`);
  }
  const headers = toHeaderList(value.headers ?? {});
  const { body } = value;
  if (body === undefined || body === null) return { status, headers, body: EMPTY };
  const plain = toPlainAnswer(body);
  const named = headers.some(([name]) => name.toLowerCase() === "content-type");
  return { status, headers: named ? headers : [...headers, ...plain.headers], body: plain.body };
}

function toHeaderList(headers) {
  const entries = typeof headers[Symbol.iterator] === "function" ? [...headers] : Object.entries(headers);
  return entries.flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => [String(name), String(one)]),
  );
}
