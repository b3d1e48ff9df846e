import type { SubjectPermissions } from "@fnbus/contract";
import { isAtLeast } from "./versions.ts";

/** One user of the server, who may do what is listed and nothing else. */
export interface NatsUser {
  user: string;
  password: string;
  permissions: SubjectPermissions;
}

export interface NatsConfigFacts {
  /** Shown by the server to whoever connects: tells our own server from a stranger on the same port. */
  serverName: string;
  host: string;
  port: number;
  storeFolder: string;
  /** Of the program that will read the file: fields that it does not know stop it. */
  version: string;
  users: NatsUser[];
}

const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;
/** Over the sum of the platform's streams, whose sizes the server reserves: its own default depends on the disk's free space. */
const MAX_STORE_BYTES = 64 * 1024 ** 3;
/** The first version that can fsync before it acknowledges (2.9 refuses the field). */
const SYNC_ALWAYS_SINCE = "2.10.0";

/** Whether this server can keep I1 through a loss of power, and not only of the process. */
export const canSyncAlways = (version: string): boolean => isAtLeast(version, SYNC_ALWAYS_SINCE);

/** The configuration file of our own NATS server. JSON is a subset of its format. */
export function toNatsConfig(facts: NatsConfigFacts): string {
  return `${JSON.stringify(
    {
      server_name: facts.serverName,
      host: facts.host,
      port: facts.port,
      max_payload: MAX_PAYLOAD_BYTES,
      jetstream: {
        store_dir: facts.storeFolder,
        max_file_store: MAX_STORE_BYTES,
        ...(canSyncAlways(facts.version) ? { sync_interval: "always" } : {}),
      },
      authorization: {
        users: facts.users.map(({ user, password, permissions: { publish, subscribe } }) => ({
          user,
          password,
          permissions: { publish: { allow: publish }, subscribe: { allow: subscribe } },
        })),
      },
    },
    null,
    2,
  )}\n`;
}
