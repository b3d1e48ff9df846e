import type { HeaderList } from "@fnbus/contract";
import type { FastifyReply } from "fastify";

const EMPTY = new Uint8Array(0);
/** Bodies up to this go out in one write with the head: as text Node joins the two, as bytes it makes two chunks. */
const ONE_WRITE_BYTES = 16 * 1024;

/** Sends bytes past Fastify's reply, whose hooks and serialisation these answers do not need. */
export function sendAnswer(
  reply: FastifyReply,
  status: number,
  headers: HeaderList,
  body: Uint8Array = EMPTY,
): FastifyReply {
  const flat: string[] = [];
  for (const [name, value] of headers) flat.push(name, value);
  const hasBody = status !== 204 && status !== 304;
  if (hasBody) flat.push("content-length", String(body.length));
  // What cannot be sent throws here, while Fastify still answers for it.
  reply.raw.writeHead(status, flat);
  reply.hijack();
  if (!hasBody || body.length === 0) reply.raw.end();
  else if (body.length > ONE_WRITE_BYTES) reply.raw.end(body);
  else reply.raw.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString("latin1"), "latin1");
  return reply;
}
