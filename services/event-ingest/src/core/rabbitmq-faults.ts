import type { ErrorCode } from "@fnbus/contract";
import { type BrokerFault, toBrokerFault } from "./broker-faults.ts";

/** AMQP's reply codes (0-9-1, RabbitMQ): of the connection, and of what is asked on a channel. */
const ofConnection: Readonly<Record<string, ErrorCode>> = {
  403: "source_unauthorized",
  530: "source_topic_missing",
  // CONNECTION_FORCED: the broker is stopped, or somebody closed it there.
  320: "source_unreachable",
};
const ofChannel: Readonly<Record<string, ErrorCode>> = { 403: "subscription_refused", 404: "source_topic_missing" };

/** An error of the client library as the trigger's report says it. It writes "403 (ACCESS_REFUSED) with message "…"". */
export function toRabbitmqFault(thrown: unknown): BrokerFault {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  // The library keeps no text of a connection that is refused after the login: that is for its vhost.
  if (/^Expected ConnectionOpenOk/.test(text))
    return { code: "source_topic_missing", message: "no such vhost, or the user has no right to it" };
  const reply = /(\d{3}) \(([A-Z_-]+)\)(?: with message "(.*)")?/s.exec(text);
  if (!reply) {
    const fault = toBrokerFault(thrown);
    const isGone = /ECONN|ETIMEDOUT|closed|Heartbeat|Socket/i.test(text) && fault.code === "source_failed";
    return isGone ? { code: "source_unreachable", message: fault.message } : fault;
  }
  const [, code = "", name = "", message = ""] = reply;
  const known = (/^(Handshake|Connection)/.test(text) ? ofConnection : ofChannel)[code];
  // What was told may be part of the broker's text, but for a password, which it never repeats.
  if (known === "source_unauthorized") return { code: known, message: "Not Authorized" };
  return { code: known ?? "source_failed", message: (message || name).slice(0, 500) };
}
