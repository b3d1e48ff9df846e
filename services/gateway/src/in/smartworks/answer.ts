import type { HeaderList } from "@fnbus/contract";
import type { FastifyReply } from "fastify";

const EMPTY = new Uint8Array(0);

/** Sends bytes past Fastify's reply, whose hooks and serialisation these answers do not need. */
export function sendAnswer(
  reply: FastifyReply,
  status: number,
  headers: HeaderList,
  body: Uint8Array = EMPTY,
): FastifyReply {
  reply.hijack();
  const flat: string[] = [];
  for (const [name, value] of headers) flat.push(name, value);
  const hasBody = status !== 204 && status !== 304;
  if (hasBody) flat.push("content-length", String(body.length));
  reply.raw.writeHead(status, flat);
  reply.raw.end(hasBody && body.length > 0 ? body : undefined);
  return reply;
}
