import { FnbusError, type Trigger } from "@fnbus/contract";
import type { EventCall } from "@fnbus/publisher";
import type { RegistryIndex } from "@fnbus/registry";
import { type BrokerGuard, createTopicTable, parseFilters, type SourceKind } from "@fnbus/sources";
import { toCalls } from "../core/calls.ts";
import type { Message } from "../core/message.ts";
import type { Routes } from "../core/routes.ts";
import { toMessage, toSamples } from "../core/sample.ts";
import type { MqttTrigger } from "../core/subscriptions.ts";
import { type MqttSource, openSource, type SourceContext } from "./source.ts";

export interface MqttKind extends SourceKind {
  /** Empties the sessions that every trigger left under a slot that no replica has. false: a broker did not answer. */
  drain(slot: number, mayConnect: () => boolean): Promise<boolean>;
}

const asMqtt = (trigger: Trigger): MqttTrigger => {
  if (trigger.type !== "mqtt") throw new FnbusError("trigger_not_found");
  return trigger;
};

/** How triggers of type mqtt are run. */
export function createMqttKind(
  context: SourceContext & { registry: RegistryIndex; routes: Routes; guard: BrokerGuard },
): MqttKind {
  const { registry, routes, guard } = context;
  const sources = new Set<MqttSource>();

  /** The calls of a message; none where nobody asks for its topic. */
  function callsOf(trigger: MqttTrigger, message: Message): EventCall[] {
    const targets = routes.functionsFor(trigger, message.topic);
    if (!targets) throw new FnbusError("function_not_found", `the function ${trigger.function?.name} does not exist`);
    return toCalls(trigger, targets, message).calls;
  }

  return {
    open(opened, status) {
      const trigger = asMqtt(opened);
      try {
        guard.checkHost(trigger.config.host);
      } catch (error) {
        // Only another address helps, and that is another definition.
        const { code, message } = error as FnbusError;
        status.failed(code, message);
        return { stop: async () => undefined };
      }
      const source = openSource(trigger, status, context);
      sources.add(source);
      return {
        ...source,
        async stop() {
          sources.delete(source);
          await source.stop();
        },
      };
    },
    sample(sampled, event) {
      const trigger = asMqtt(sampled);
      const wanted = createTopicTable(parseFilters(trigger.config.topics).map((filter) => [filter, true] as const));
      const isWanted = ({ topic }: Message) => wanted.match(topic).length > 0;
      if (event === undefined) {
        const samples = toSamples(trigger, registry.functionsOf(trigger.space)).filter(isWanted);
        for (const message of samples) {
          const calls = callsOf(trigger, message);
          if (calls.length > 0) return calls;
        }
        throw new FnbusError("trigger_not_testable");
      }
      const message = toMessage(event);
      if (!isWanted(message)) throw new FnbusError("event_not_wanted", "the trigger does not subscribe to this topic");
      const calls = callsOf(trigger, message);
      if (calls.length === 0) throw new FnbusError("event_not_wanted", "no function asks for this topic");
      return calls;
    },
    async drain(slot, mayConnect) {
      const drained = await Promise.all([...sources].map((source) => source.drain(slot, mayConnect)));
      return drained.every(Boolean);
    },
  };
}
