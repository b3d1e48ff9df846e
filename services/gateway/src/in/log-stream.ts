import { PassThrough, pipeline } from "node:stream";
import type { LogLine } from "@fnbus/contract";
import type { FastifyReply } from "fastify";
import type { FunctionLogs, LogQuery } from "../out/function-logs.ts";

/** Bytes that a slow reader may be behind before it is cut off (I11). */
const MAX_BEHIND_BYTES = 4 * 1024 * 1024;
/** Lines read from the log that live ones are compared with, so that none comes twice. */
const OVERLAP_LINES = 1_000;
const NDJSON = "application/x-ndjson";

/** Sends log lines as ndjson: what is stored, then, where asked, what is written from now on until either side ends it. */
export async function sendLogs(
  logs: FunctionLogs,
  query: LogQuery,
  follow: boolean,
  toText: (line: LogLine) => string,
  open: Set<PassThrough>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const join = (lines: LogLine[]) => lines.map((line) => `${toText(line)}\n`).join("");
  if (!follow) return reply.type(NDJSON).send(join(await logs.read(query)));

  const stream = new PassThrough();
  let held: LogLine[] | undefined = [];
  const push = (lines: LogLine[]) => {
    if (held) held.push(...lines);
    else if (stream.writableLength > MAX_BEHIND_BYTES) stream.destroy(new Error("the reader is too slow"));
    else if (!stream.writableEnded) stream.write(join(lines));
  };
  // Followed first, read second: what is written in between is held, and dropped where the log had it already.
  const stop = logs.follow(query, push);
  try {
    const stored = await logs.read(query);
    const known = new Set(stored.slice(-OVERLAP_LINES).map((line) => JSON.stringify(line)));
    const between = held.filter((line) => !known.has(JSON.stringify(line)));
    held = undefined;
    stream.write(join([...stored, ...between]));
  } catch (error) {
    stop();
    throw error;
  }
  open.add(stream);
  reply.hijack();
  // The head goes out at once: a function that is silent is followed all the same.
  reply.raw.writeHead(200, { "content-type": NDJSON }).flushHeaders();
  pipeline(stream, reply.raw, () => {
    stop();
    open.delete(stream);
  });
  return reply;
}
