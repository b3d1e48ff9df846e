import type { Bus } from "@fnbus/bus";
import {
  type AccessKey,
  createKeyText,
  FnbusError,
  hashSecret,
  parseKeyText,
  platformStorage,
  type StorageOptions,
} from "@fnbus/contract";
import { type Access, createAccess, createRegistry } from "@fnbus/registry";

export interface ProvisionOptions extends StorageOptions {
  /** Installed instead of a generated one: `fnb_<id>_<secret>`. */
  adminKey?: string;
}

const DEFAULT_SPACE = "default";

const toAdminKey = (id: string, secret: string, name: string): AccessKey => ({
  id,
  name,
  kind: "key",
  secretHash: hashSecret(secret),
  scopes: ["admin"],
  spaces: [],
  createdAt: Date.now(),
});

const isAdminKey = (key: AccessKey): boolean =>
  key.scopes.includes("admin") &&
  key.revokedAt === undefined &&
  (key.expiresAt ?? Number.POSITIVE_INFINITY) > Date.now();

/** Installs a key that was given. One that stands with the same secret is left as it is, revoked or not. */
async function installKey(access: Access, text: string): Promise<void> {
  const parsed = parseKeyText(text);
  if (!parsed) throw new FnbusError("invalid_request", "the admin key is not of the form fnb_<id>_<secret>");
  if (access.keyById(parsed.id)?.secretHash === hashSecret(parsed.secret)) return;
  await access.putKey(toAdminKey(parsed.id, parsed.secret, "admin (installed)"));
}

/**
 * Streams, buckets, the space "default" and the first admin key. Safe to repeat.
 * Returns the text of the key that it made, which is shown nowhere else; undefined where one was given or stands already.
 */
export async function provisionPlatform(bus: Bus, options: ProvisionOptions): Promise<{ adminKey?: string }> {
  await bus.provision(platformStorage(options));
  const registry = await createRegistry(bus);
  const access = await createAccess(bus);
  try {
    await registry.createSpace({ name: DEFAULT_SPACE, createdAt: Date.now() }).catch((error) => {
      if (!(error instanceof FnbusError && error.code === "space_exists")) throw error;
    });
    if (options.adminKey !== undefined) {
      await installKey(access, options.adminKey);
      return {};
    }
    if (access.keys().some(isAdminKey)) return {};
    const { id, secret, text } = createKeyText();
    await access.putKey(toAdminKey(id, secret, "admin (first)"));
    return { adminKey: text };
  } finally {
    registry.stop();
    access.stop();
  }
}
