import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { Connection } from "./connection.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Replies } from "./replies.ts";

/** What the parts of the bus are built from. */
export interface Core {
  connection: Connection;
  outgoing: Outgoing;
  replies: Replies;
  jetstream: JetStreamClient;
  manager: JetStreamManager;
  /** Aborted when the bus is drained: ends everything that waits or reads for ever. */
  closing: AbortSignal;
}
