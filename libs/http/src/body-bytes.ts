import type { IncomingMessage } from "node:http";

/** Bytes of a body as announced; of one that comes in chunks, as many as it may have. */
export function toBodyBytes({ headers }: IncomingMessage, bodyLimit: number): number {
  const announced = headers["content-length"];
  if (announced !== undefined) return Number(announced);
  return headers["transfer-encoding"] === undefined ? 0 : bodyLimit;
}

/** What a body may take of memory: nothing where it is refused unread. */
export function toHeldBytes(request: IncomingMessage, bodyLimit: number): number {
  const bytes = toBodyBytes(request, bodyLimit);
  return bytes > bodyLimit ? 0 : bytes;
}
