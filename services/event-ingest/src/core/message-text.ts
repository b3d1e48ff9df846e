import { isUtf8 } from "node:buffer";

/** A message as it stands in an event's `messages`: a JSON string, and its size in the event's body. */
export interface MessageText {
  json: string;
  bytes: number;
  /** Not UTF-8: base64 stands for it. */
  isBase64: boolean;
}

/** Text where the bytes are UTF-8, else base64. */
export function toMessageText(value: Uint8Array): MessageText {
  const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const isBase64 = !isUtf8(buffer);
  const json = JSON.stringify(buffer.toString(isBase64 ? "base64" : "utf8"));
  return { json, bytes: Buffer.byteLength(json), isBase64 };
}

/** `"messages":[…]`, and which of them are base64 where any is: FunctionGraph's form knows text only. */
export function toMessagesField(messages: readonly MessageText[]): string {
  const field = `"messages":[${messages.map(({ json }) => json).join(",")}]`;
  const base64 = messages.flatMap(({ isBase64 }, index) => (isBase64 ? [index] : []));
  return base64.length === 0 ? field : `${field},"base64":[${base64.join(",")}]`;
}
