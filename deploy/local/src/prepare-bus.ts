import { type Bus, connectBus } from "@fnbus/bus";
import { buckets, createKeyText } from "@fnbus/contract";
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
    if (servers.ownsNats) await freeLeases(bus);
  } finally {
    await bus.drain();
  }
  return file;
}

/**
 * Whoever held something held it of our own broker, and is dead: we have the folder's lock, and its processes are gone.
 * So nobody waits until a lease is over (L19). The fence of the log protects all the same.
 */
async function freeLeases(bus: Bus): Promise<void> {
  const leases = await bus.keyValue(buckets.leases);
  const keys = ["callbacks", ...Array.from({ length: PARTITIONS }, (_, partition) => `ledger.${partition}`)];
  for (const key of keys) {
    const held = await leases.get(key);
    if (held) await leases.delete(key, held.revision);
  }
}
