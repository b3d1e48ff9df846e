import { connectBus } from "@fnbus/bus";
import { createKeyText } from "@fnbus/contract";
import { provisionPlatform } from "@fnbus/provision";
import type { DataFolder } from "./data/folder.ts";
import { PARTITIONS, type Servers } from "./start-servers.ts";

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Streams, buckets and the admin key, before any service starts. Returns the file that holds the key: it is the truth,
 * and a broker that does not know the key (new store, other broker) is told it again.
 */
export async function prepareBus(servers: Servers, data: DataFolder): Promise<string> {
  const { user, password } = servers.nats.credentialsOf("provision");
  const { file, value } = data.secret("admin-key", () => createKeyText().text);
  const bus = await connectBus({
    servers: servers.nats.url,
    name: "provision",
    ...(user ? { user, password } : {}),
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  });
  try {
    await provisionPlatform(bus, { partitions: PARTITIONS, replicas: 1, adminKey: value });
  } finally {
    await bus.drain();
  }
  return file;
}
