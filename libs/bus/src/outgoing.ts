import type { MsgHdrs } from "@nats-io/transport-node";
import type { Connection } from "./connection.ts";
import { BusError, raise } from "./errors.ts";
import type { Headers } from "./types.ts";

/** Everything that leaves: one queue, handed to the client once a turn of the event loop, so it is one write. */
export interface Outgoing {
  /** Throws `disconnected` and `too_large` at once; nothing is kept while disconnected. */
  send(subject: string, data: Uint8Array, reply?: string, headers?: Headers): void;
  /** Hands over what is queued now. */
  flush(): void;
}

interface Waiting {
  subject: string;
  data: Uint8Array;
  options: { reply: string; headers?: MsgHdrs };
}

/** What may wait in this process for a broker that reads slowly (I11): the client and the socket have no bound. */
const UNREAD_BYTES = 64 * 1024 * 1024;
/** So much unread is worth asking the broker how far it is: a PING, whose answer comes behind all that was sent before. */
const ASK_BYTES = 1024 * 1024;

const lineBreak = /[\r\n]/;

/** A header block as it goes over the wire (nats-server, ADR-4). */
function toHeaderBlock(headers: Headers): Buffer {
  let text = "NATS/1.0\r\n";
  for (const name in headers) {
    const value = headers[name]!;
    if (lineBreak.test(value)) throw new TypeError(`the header ${name} has a line break`);
    text += `${name}: ${value}\r\n`;
  }
  return Buffer.from(`${text}\r\n`);
}

/** The client asks a message's headers for their bytes alone; building its own kind of them costs more than the rest of a send. */
const toClientHeaders = (block: Buffer): MsgHdrs => ({ encode: () => block }) as unknown as MsgHdrs;

/** How many bytes were sent that the broker has not read, as far as is known. */
function createUnread(connection: Connection) {
  const { nc } = connection;
  let sent = 0;
  let read = 0;
  let asking: object | undefined;
  // What was under way is gone with the connection.
  connection.onStatus(() => {
    read = sent;
    asking = undefined;
  });
  const ask = () => {
    if (asking || sent - read < ASK_BYTES || nc.isClosed()) return;
    const upTo = sent;
    const question = {};
    asking = question;
    const settle = () => {
      if (asking !== question) return;
      asking = undefined;
      read = upTo;
      ask();
    };
    nc.flush().then(settle, () => {});
  };
  return {
    add(bytes: number) {
      sent += bytes;
    },
    ask,
    bytes: () => sent - read,
  };
}

export function createOutgoing(connection: Connection): Outgoing {
  const { nc } = connection;
  const unread = createUnread(connection);
  let queue: Waiting[] = [];
  const flush = () => {
    const sending = queue;
    queue = [];
    // Lost meanwhile: the client would keep them and send them after we have told our callers that they failed.
    if (!connection.isConnected() || nc.isClosed()) return;
    for (const { subject, data, options } of sending) {
      try {
        nc.publish(subject, data, options);
      } catch (error) {
        raise(error);
      }
    }
    unread.ask();
  };
  return {
    send(subject, data, reply = "", headers = undefined) {
      if (!connection.isConnected()) throw new BusError("disconnected", `cannot publish to ${subject}: not connected`);
      const block = headers === undefined ? undefined : toHeaderBlock(headers);
      const bytes = data.length + (block?.length ?? 0);
      const limit = connection.server().maxPayload;
      if (bytes > limit) throw new BusError("too_large", `${bytes} bytes to ${subject}: the broker takes ${limit}`);
      if (unread.bytes() + bytes > UNREAD_BYTES)
        throw new BusError(
          "disconnected",
          `cannot publish to ${subject}: the broker has ${unread.bytes()} bytes to read`,
        );
      unread.add(bytes);
      if (queue.length === 0) setImmediate(flush);
      queue.push({ subject, data, options: block ? { reply, headers: toClientHeaders(block) } : { reply } });
    },
    flush,
  };
}
