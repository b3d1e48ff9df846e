import { FnbusError, type Trigger, type TriggerOf } from "@fnbus/contract";
import { parseFilters, type SourceKind } from "@fnbus/sources";
import { toMessageText } from "../../core/message-text.ts";
import { toRabbitmqFault } from "../../core/rabbitmq-faults.ts";
import { toMessageCalls, toQueueMessage, whyPoison } from "../../core/rabbitmq-message.ts";
import { createHealth } from "../broker/health.ts";
import { startRunning } from "../broker/running.ts";
import { findTarget } from "../broker/target.ts";
import type { BrokerDeps } from "../broker/types.ts";
import { toBatchCall } from "./calls.ts";
import { toQueueName } from "./connecting.ts";
import { createRoutes } from "./routes.ts";
import { runSession } from "./session.ts";

/** A routing key that the binding lets through. */
const toRoutingKey = (topics: string | undefined): string =>
  (parseFilters(topics ?? "")[0] ?? "sample").replaceAll(/[*#]/g, "sample");

/** RabbitMQ: a queue a trigger, which its replicas share; a message is acknowledged when all that it invokes is durable. */
export function createRabbitmqKind(deps: BrokerDeps): SourceKind {
  const routes = createRoutes(deps.registry);

  return {
    open(trigger, status) {
      const rabbitmq = trigger as TriggerOf<"rabbitmq">;
      const health = createHealth(status);
      const facts = { queue: toQueueName(rabbitmq), unacknowledged: 0, unmatched: 0 };
      const context = { deps, trigger: rabbitmq, status, health, routes, facts };
      const running = startRunning({
        session: (signal) => runSession(context, signal),
        toFault: toRabbitmqFault,
        ...{ health, logger: deps.logger, triggerId: trigger.id },
      });
      return { ...running, details: () => ({ ...facts }) };
    },
    sample(trigger: Trigger, event) {
      const rabbitmq = trigger as TriggerOf<"rabbitmq">;
      const message = toQueueMessage(event, toRoutingKey(rabbitmq.config.topics));
      const own = findTarget(deps.registry, trigger);
      if (trigger.function && !own) throw new FnbusError("function_not_found");
      if (whyPoison(message)) throw new FnbusError("record_too_large");
      if (rabbitmq.config.form === "functiongraph") {
        if (!own) throw new FnbusError("trigger_not_testable");
        return [toBatchCall(rabbitmq, own, [toMessageText(message.content)], Date.now())];
      }
      const targets = own ? [own] : routes.match(trigger, message.routingKey);
      if (targets.length === 0) throw new FnbusError("trigger_not_testable");
      return toMessageCalls(trigger, targets, toQueueName(rabbitmq), message);
    },
  };
}
