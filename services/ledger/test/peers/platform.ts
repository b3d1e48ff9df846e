import { type Bus, connectBus } from "@fnbus/bus";
import {
  buckets,
  createId,
  defaultSettings,
  type FunctionDefinition,
  type FunctionSettings,
  platformStorage,
  type StorageSizes,
} from "@fnbus/contract";
import { createRegistry, type Registry } from "@fnbus/registry";
import { startNats } from "@fnbus/testing";

const MB = 1024 * 1024;

export const smallSizes: StorageSizes = {
  invocations: 64 * MB,
  outcomes: 64 * MB,
  parked: 32 * MB,
  records: 32 * MB,
  logs: 4 * MB,
  registry: 4 * MB,
  access: 4 * MB,
  triggers: 4 * MB,
  leases: 4 * MB,
  code: 4 * MB,
  bodies: 32 * MB,
  checkpoints: 32 * MB,
  callbacks: 4 * MB,
};

/** A real broker with the platform's storage, and a connection and a registry to work with. */
export interface Platform {
  url: string;
  bus: Bus;
  registry: Registry;
  /** Creates a function in the space "test", in a pool of its own name: executors of other tests get none of its work. */
  createFunction(name: string, settings?: Partial<FunctionSettings>): Promise<FunctionDefinition>;
  broker: { kill(): Promise<void>; restart(): Promise<void> };
  stop(): Promise<void>;
}

export async function startPlatform(sizes: Partial<StorageSizes> = {}): Promise<Platform> {
  const nats = await startNats();
  const bus = await connectBus({ servers: nats.url, name: "test", connectTimeoutMs: 10_000 });
  await bus.provision(platformStorage({ partitions: 1, replicas: 1, sizes: { ...smallSizes, ...sizes } }));
  await bus.objects(buckets.checkpoints);
  const registry = await createRegistry(bus);
  await registry.createSpace({ name: "test", createdAt: Date.now() });
  return {
    url: nats.url,
    bus,
    registry,
    broker: nats,
    async createFunction(name, settings = {}) {
      const definition: FunctionDefinition = {
        id: createId(),
        space: "test",
        name,
        partition: 0,
        status: "Running",
        settings: { ...defaultSettings, runtime: "nodejs", handler: "index.handler", pool: name, ...settings },
        createdAt: Date.now(),
        updatedAt: Date.now(),
      };
      return (await registry.createFunction(definition)).definition;
    },
    async stop() {
      registry.stop();
      await bus.drain();
      await nats.stop();
    },
  };
}
