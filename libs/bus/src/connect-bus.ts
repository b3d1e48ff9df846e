import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { Msg } from "@nats-io/transport-node";
import { createCallAnswers } from "./answer-calls.ts";
import { append } from "./append.ts";
import { createCalls } from "./calls.ts";
import { openConnection } from "./connection.ts";
import type { Core } from "./core.ts";
import { openKeyValue } from "./key-value.ts";
import { acquireLease } from "./lease.ts";
import { listen } from "./listen.ts";
import { toBusMessage } from "./messages.ts";
import { openObjects } from "./objects.ts";
import { createOutgoing } from "./outgoing.ts";
import { createPacker } from "./packer.ts";
import { provision } from "./provision.ts";
import { readDurable } from "./read-durable.ts";
import { readLog } from "./read-log.ts";
import { readAt, readLast, readSubject, streamState, trim } from "./read-stored.ts";
import { createReplies } from "./replies.ts";
import type { Bus, BusMessage, BusOptions, Subscription } from "./types.ts";

/** Time-out of questions to the server about streams and consumers. */
const API_TIMEOUT_MS = 3_000;

/**
 * Connects to the bus. Reconnects for ever; while disconnected nothing is kept: publishes throw `disconnected`, and what
 * is in flight fails with it. A handler that throws ends the process as an uncaught error. Rejects with `disconnected` when `connectTimeoutMs` passes.
 */
export async function connectBus(options: BusOptions): Promise<Bus> {
  const { name } = options;
  const connection = await openConnection(options);
  const { nc } = connection;
  const closing = new AbortController();
  const outgoing = createOutgoing(connection);
  const replies = createReplies(connection, outgoing, name);
  const calls = createCalls(connection, outgoing, name);
  const answers = createCallAnswers(connection, outgoing);
  const core: Core = {
    connection,
    outgoing,
    replies,
    jetstream: jetstream(nc, { timeout: API_TIMEOUT_MS }),
    manager: await jetstreamManager(nc, { timeout: API_TIMEOUT_MS, checkAPI: false }),
    closing: closing.signal,
  };

  function subscribe(subject: string, queue: string | undefined, handler: (message: Msg) => void): Subscription {
    const subscription = listen(nc, subject, handler, queue);
    return {
      unsubscribe: () => subscription.unsubscribe(),
      drain: async () => {
        if (!subscription.isClosed()) await subscription.drain();
      },
    };
  }

  return {
    get serverVersion() {
      return connection.server().version;
    },
    get maxPayload() {
      return connection.server().maxPayload;
    },
    isConnected: connection.isConnected,
    onStatus: connection.onStatus,

    publish: (subject, data, { reply, headers } = {}) => outgoing.send(subject, data, reply, headers),
    subscribe: (subject, handler, { queue } = {}) =>
      subscribe(subject, queue, (message) => handler(toBusMessage(message, outgoing))),
    call: calls.call,
    answerCalls: (subject, onCall, { queue } = {}) =>
      subscribe(subject, queue, (message) => answers.receive(message, onCall)),
    request: (subject, data, { timeoutMs, headers, signal }) =>
      replies.ask(subject, data, timeoutMs, headers, signal).then((message) => toBusMessage(message, outgoing)),
    createInbox: (handler: (message: BusMessage) => void) =>
      replies.open((message) => handler(toBusMessage(message, outgoing))),

    append: (subject, data, appendOptions) => append(core, subject, data, appendOptions),
    createPacker: (subject, packerOptions) => createPacker(core, subject, packerOptions),
    readLog: (stream, from, onMessages) => readLog(core, name, stream, from, onMessages),
    readSubject: (stream, subject, readOptions) => readSubject(core, name, stream, subject, readOptions),
    readAt: (stream, sequence) => readAt(core, stream, sequence),
    readLast: (stream, subject) => readLast(core, stream, subject),
    streamState: (stream) => streamState(core, stream),
    trim: (stream, sequence) => trim(core, stream, sequence),
    readDurable: (stream, durable, readOptions, onMessage) =>
      readDurable(core, name, stream, durable, readOptions, onMessage),

    provision: (wanted) => provision(core, wanted),
    keyValue: (bucket) => openKeyValue(core, name, bucket),
    objects: (bucket) => openObjects(core, bucket),
    acquireLease: (leaseOptions, signal) => acquireLease(core, name, leaseOptions, signal),

    async drain() {
      closing.abort();
      answers.flush();
      outgoing.flush();
      if (connection.isConnected()) await nc.drain().catch(() => nc.close());
      else await nc.close();
      replies.stop();
      calls.stop();
    },
  };
}
