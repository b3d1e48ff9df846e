import type { IClientSubscribeOptions, MqttClient } from "mqtt";
import type { Subscription } from "../core/subscriptions.ts";

/** A subscription that stands, at the broker's quality of service. */
export interface Granted {
  filter: string;
  qos: number;
}

/** Subscriptions that the broker has not answered yet. */
const AT_ONCE = 16;

/**
 * Subscribes to each filter by itself, so that each has its own identifier and its own answer: the quality granted, or the
 * reason of a refusal. Rejects where the connection breaks.
 */
export async function subscribe(
  client: MqttClient,
  subscriptions: readonly Subscription[],
  hasIdentifiers: boolean,
): Promise<[topic: string, answer: number][]> {
  const answers: [string, number][] = [];
  for (let at = 0; at < subscriptions.length; at += AT_ONCE) {
    const asked = subscriptions
      .slice(at, at + AT_ONCE)
      .map(
        async (subscription): Promise<[string, number]> => [
          subscription.topic,
          await ask(client, subscription, hasIdentifiers),
        ],
      );
    answers.push(...(await Promise.all(asked)));
  }
  return answers;
}

export async function unsubscribe(client: MqttClient, topics: string[]): Promise<void> {
  for (let at = 0; at < topics.length; at += AT_ONCE) await client.unsubscribeAsync(topics.slice(at, at + AT_ONCE));
}

function ask(client: MqttClient, subscription: Subscription, hasIdentifiers: boolean): Promise<number> {
  const { topic, qos, retainHandling: rh, identifier } = subscription;
  const options: IClientSubscribeOptions =
    client.options.protocolVersion === 5
      ? { qos, rh, rap: false, ...(hasIdentifiers && { properties: { subscriptionIdentifier: identifier } }) }
      : { qos };
  return new Promise((resolve, reject) => {
    client.subscribe(topic, options, (error, _, packet) => {
      const [answer] = packet?.granted ?? [];
      if (typeof answer === "number") resolve(answer);
      else reject(error ?? new Error("a subscription was not answered"));
    });
  });
}
