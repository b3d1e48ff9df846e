import type { Msg } from "@nats-io/transport-node";
import type { Outgoing } from "./outgoing.ts";
import type { BusMessage, Headers, StoredMessage } from "./types.ts";

const NANOS_PER_MS = 1_000_000;

/** A message of core NATS. A class, since one is made for every message: methods on the prototype cost nothing. */
class ReceivedMessage implements BusMessage {
  readonly #message: Msg;
  readonly #outgoing: Outgoing;
  constructor(message: Msg, outgoing: Outgoing) {
    this.#message = message;
    this.#outgoing = outgoing;
  }
  get subject(): string {
    return this.#message.subject;
  }
  get data(): Uint8Array {
    return this.#message.data;
  }
  get reply(): string {
    return this.#message.reply ?? "";
  }
  header(name: string): string | undefined {
    return headerOf(this.#message, name);
  }
  respond(data: Uint8Array, headers?: Headers): void {
    if (this.#message.reply) this.#outgoing.send(this.#message.reply, data, "", headers);
  }
}

/** Names are matched as they are written: the header's one spelling stands in the contract. */
export function headerOf(message: Msg, name: string): string | undefined {
  const { headers } = message;
  if (!headers) return undefined;
  // "" is what the client answers for a header that is not there, too.
  return headers.get(name) || (headers.has(name) ? "" : undefined);
}

export const toBusMessage = (message: Msg, outgoing: Outgoing): BusMessage => new ReceivedMessage(message, outgoing);

/** A message that a consumer delivered: its place stands in the acknowledgement subject (nats-server, ADR-15). */
export interface Delivered extends StoredMessage {
  /** Counts from 1 within a consumer, without a gap. */
  delivery: number;
  /** How many follow that are stored already. */
  pending: number;
  reply: string;
}

/** Tokens before stream and consumer: `$JS.ACK`, and since 2.10 in some set-ups domain and account. */
const SHORT_TOKENS = 9;

export function toDelivered(message: Msg): Delivered | undefined {
  const reply = message.reply ?? "";
  if (!reply.startsWith("$JS.ACK.")) return undefined;
  const tokens = reply.split(".");
  const at = tokens.length === SHORT_TOKENS ? 4 : 6;
  return {
    subject: message.subject,
    data: message.data,
    sequence: Number(tokens[at + 1]),
    delivery: Number(tokens[at + 2]),
    at: Number(BigInt(tokens[at + 3]!) / BigInt(NANOS_PER_MS)),
    pending: Number(tokens[at + 4]),
    reply,
    header: (name) => headerOf(message, name),
  };
}

/** The answer to a direct get: subject, sequence and time stand in headers. */
export const toDirect = (message: Msg): StoredMessage => ({
  subject: message.headers!.get("Nats-Subject"),
  sequence: Number(message.headers!.get("Nats-Sequence")),
  at: Date.parse(message.headers!.get("Nats-Time-Stamp")),
  data: message.data,
  header: (name) => headerOf(message, name),
});
