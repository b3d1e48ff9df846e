import type { Msg } from "@nats-io/transport-node";
import { type CallEntry, decodeCallPack, encodeCallPack, entryBytes } from "./call-packs.ts";
import { ANSWERS } from "./calls.ts";
import type { Connection } from "./connection.ts";
import { BusError, isBusError } from "./errors.ts";
import type { Outgoing } from "./outgoing.ts";
import { createTurnQueues, toPacks } from "./turn-queues.ts";
import type { BusCall } from "./types.ts";

/** The other end of `Calls`: hands over the calls of a pack one by one, and packs what is answered in one turn. */
export interface CallAnswers {
  receive(message: Msg, onCall: (call: BusCall) => void): void;
  flush(): void;
}

interface Answer extends CallEntry {
  bytes: number;
}

export function createCallAnswers(connection: Connection, outgoing: Outgoing): CallAnswers {
  const queues = createTurnQueues<Answer>(outgoing, (subject, answers) => {
    // Whoever asked over a connection that is lost was told so, and waits no more.
    if (!connection.isConnected()) return;
    for (const { entries, bytes } of toPacks(answers, answers.length)) send(subject, encodeCallPack(entries, bytes));
  });

  function send(subject: string, pack: Buffer): void {
    try {
      outgoing.send(subject, pack);
    } catch (error) {
      // A broker that reads too slowly for 64 MB: callers run to their time-outs, as they would if it read nothing.
      if (!isBusError(error)) throw error;
    }
  }
  function add(subject: string, answer: Answer): void {
    const limit = connection.server().maxPayload;
    if (answer.bytes > limit)
      throw new BusError("too_large", `an answer of ${answer.bytes} bytes: the broker takes ${limit}`);
    queues.add(subject, answer);
  }

  return {
    receive(message, onCall) {
      const { reply = "" } = message;
      const subject = reply.slice(0, reply.lastIndexOf(".") + 1) + ANSWERS;
      decodeCallPack(message.data, ({ place, count, head, body }) =>
        onCall({
          head,
          body,
          answer: (text, bytes = EMPTY) =>
            add(subject, { place, count, head: text, body: bytes, bytes: entryBytes(text, bytes) }),
        }),
      );
    },
    flush: queues.flush,
  };
}

const EMPTY = new Uint8Array(0);
