import { connectBus } from "@fnbus/bus";
import { readConfig, type Variables } from "@fnbus/config";
import type { StorageSizes } from "@fnbus/contract";
import type { Static } from "typebox";
import { Config } from "./config.ts";
import { provisionPlatform } from "./provision-platform.ts";

const toSizes = (config: Static<typeof Config>): StorageSizes => ({
  invocations: config.FNBUS_SIZE_INVOCATIONS,
  outcomes: config.FNBUS_SIZE_OUTCOMES,
  parked: config.FNBUS_SIZE_PARKED,
  records: config.FNBUS_SIZE_RECORDS,
  logs: config.FNBUS_SIZE_LOGS,
  registry: config.FNBUS_SIZE_REGISTRY,
  access: config.FNBUS_SIZE_ACCESS,
  triggers: config.FNBUS_SIZE_TRIGGERS,
  leases: config.FNBUS_SIZE_LEASES,
  code: config.FNBUS_SIZE_CODE,
  bodies: config.FNBUS_SIZE_BODIES,
  checkpoints: config.FNBUS_SIZE_CHECKPOINTS,
  callbacks: config.FNBUS_SIZE_CALLBACKS,
});

/** Reads the environment and provisions once. Returns what is to be printed. */
export async function runProvision(variables: Variables): Promise<string> {
  const config = readConfig(Config, variables);
  const bus = await connectBus({
    servers: config.NATS_URL,
    name: "provision",
    connectTimeoutMs: config.FNBUS_CONNECT_MS,
    ...(config.NATS_USER ? { user: config.NATS_USER, password: config.NATS_PASSWORD } : {}),
  });
  try {
    const { adminKey } = await provisionPlatform(bus, {
      partitions: config.FNBUS_PARTITIONS,
      replicas: config.FNBUS_REPLICAS,
      sizes: toSizes(config),
      ...(config.FNBUS_ADMIN_KEY ? { adminKey: config.FNBUS_ADMIN_KEY } : {}),
    });
    return adminKey === undefined ? "provisioned" : `provisioned; admin key (shown once): ${adminKey}`;
  } finally {
    await bus.drain();
  }
}
