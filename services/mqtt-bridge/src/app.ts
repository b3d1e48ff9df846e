import { randomUUID } from "node:crypto";
import { createPublisher } from "@fnbus/publisher";
import { createRegistry, createTriggers } from "@fnbus/registry";
import type { RunningService, ServiceContext } from "@fnbus/service";
import { createBrokerGuard, runSources } from "@fnbus/sources";
import type { Config } from "./config.ts";
import { createRoutes } from "./core/routes.ts";
import { modeOf } from "./core/subscriptions.ts";
import { createDrain } from "./in/drain.ts";
import { createMqttKind } from "./in/kind.ts";
import { createSocketOpener } from "./in/socket.ts";
import { createDeliver } from "./out/deliver.ts";
import { createExclusive } from "./out/exclusive.ts";
import { createReplica } from "./out/replica.ts";

const SERVICE = "mqtt-bridge";

/** Runs every MQTT trigger: subscribes at its broker, and publishes what its messages invoke. */
export async function startMqttBridge(context: ServiceContext<Config>): Promise<RunningService> {
  const { bus, config, logger, metrics } = context;
  const [registry, triggers] = await Promise.all([createRegistry(bus), createTriggers(bus)]);
  const publisher = createPublisher({
    ...{ bus, logger, service: SERVICE },
    ...{ partitions: config.FNBUS_PARTITIONS, timeoutMs: config.FNBUS_ACCEPT_TIMEOUT_MS },
  });
  const guard = createBrokerGuard({
    allow: config.FNBUS_BROKER_ALLOW.split(","),
    allowLoopback: config.FNBUS_BROKER_ALLOW_LOOPBACK,
  });
  const holder = `${SERVICE}-${randomUUID()}`;
  const leaseMs = config.FNBUS_MQTT_LEASE_MS;
  const stopping = new AbortController();
  const routes = createRoutes(registry);
  const replica = createReplica({
    ...{ bus, holder, leaseMs, logger },
    drain: (slot, mayConnect) => kind.drain(slot, mayConnect),
  });
  const connecting = {
    openSocket: createSocketOpener(guard),
    reconnectMs: config.FNBUS_MQTT_RECONNECT_MS,
    deliver: createDeliver(publisher, registry, routes),
  };
  const kind = createMqttKind({
    ...connecting,
    ...{ registry, routes, guard },
    drain: createDrain(connecting, stopping.signal),
    holdingOf: (trigger) =>
      modeOf(trigger) === "shared"
        ? replica
        : createExclusive(bus, { key: `mqtt.trigger.${trigger.id}`, holder, leaseMs, logger }),
    definitionOf: (id) => triggers.triggerById(id)?.trigger,
    lacksFunction: (trigger) => routes.functionsFor(trigger, "") === undefined,
    onFunction: registry.onFunction,
  });
  const sources = runSources({ service: SERVICE, bus, triggers, publisher, logger, metrics, kinds: { mqtt: kind } });

  return {
    async stop() {
      stopping.abort(new Error("stopping"));
      await sources.stop();
      await replica.stop();
      await publisher.close();
      routes.stop();
      triggers.stop();
      registry.stop();
    },
    health: () => ({ ...sources.facts(), slot: replica.slot }),
  };
}
