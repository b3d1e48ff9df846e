import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import { raise } from "./errors.ts";

/** Hands over each message of a subject. What the client or `handler` throws ends the process as an uncaught error. */
export const listen = (
  nc: NatsConnection,
  subject: string,
  handler: (message: Msg) => void,
  queue?: string,
): Subscription =>
  nc.subscribe(subject, {
    ...(queue === undefined ? {} : { queue }),
    callback(error, message) {
      try {
        if (error) throw error;
        handler(message);
      } catch (thrown) {
        raise(thrown);
      }
    },
  });
