import type { TriggerOf } from "@fnbus/contract";
import { type BrokerGuard, parseFilters } from "@fnbus/sources";
import { type Channel, type ChannelModel, connect } from "amqplib";
import { splitAddress } from "../../core/broker-address.ts";
import { toTlsOptions } from "../broker/tls.ts";

const CONNECT_MS = 5_000;
/** A connection that is silent for two of these is gone, s. */
const HEARTBEAT_SECONDS = 15;
const PORT = { plain: 5672, tls: 5671 };

/** Connects, to addresses only that the guard lets pass: of a name those that are connected to are the ones checked. */
export function connectRabbitmq({ config }: TriggerOf<"rabbitmq">, guard: BrokerGuard): Promise<ChannelModel> {
  const { host, port } = splitAddress(config.host, config.port ?? (config.tls ? PORT.tls : PORT.plain));
  guard.checkHost(host);
  return connect(
    {
      protocol: config.tls ? "amqps" : "amqp",
      ...{ hostname: host, port, vhost: encodeURIComponent(config.vhost ?? "/"), heartbeat: HEARTBEAT_SECONDS },
      ...(config.username !== undefined && { username: config.username, password: config.password ?? "" }),
    },
    { ...(config.tls && toTlsOptions(config.tls)), lookup: guard.lookup, timeout: CONNECT_MS, noDelay: true },
  );
}

/** The trigger's queue: its own name is made of the trigger's id, so that it outlives every replica. */
export const toQueueName = ({ id, config }: TriggerOf<"rabbitmq">): string => config.queue ?? `fnbus.${id}`;

/** A queue that is there is used as it is: whoever made it chose its kind and limits. */
async function hasQueue(connection: ChannelModel, queue: string): Promise<boolean> {
  const channel = await connection.createChannel();
  // What does not exist closes the channel that asked; the answer says why.
  channel.on("error", () => undefined);
  try {
    await channel.checkQueue(queue);
    await channel.close();
    return true;
  } catch (error) {
    if ((error as { code?: number }).code === 404) return false;
    throw error;
  }
}

/** Exchange, queue and bindings as the trigger says. Throws what the broker refuses. */
export async function declare(
  connection: ChannelModel,
  channel: Channel,
  trigger: TriggerOf<"rabbitmq">,
): Promise<void> {
  const { exchange, exchangeType, topics } = trigger.config;
  const queue = toQueueName(trigger);
  // Of a type that is not told, it must be there: a guess would stand in the way of whoever declares it.
  if (exchange && exchangeType) await channel.assertExchange(exchange, exchangeType, { durable: true });
  else if (exchange) await channel.checkExchange(exchange);
  if (!(await hasQueue(connection, queue))) await channel.assertQueue(queue, { durable: true });
  if (!exchange) return;
  const keys = parseFilters(topics ?? "");
  for (const key of keys.length > 0 ? keys : ["#"]) await channel.bindQueue(queue, exchange, key);
}
