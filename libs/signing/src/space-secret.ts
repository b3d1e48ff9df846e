import { createHmac, createSecretKey, type KeyObject } from "node:crypto";

const PREFIX = "whsec_";

/**
 * The secret that signs a space's callbacks, in the form of Standard Webhooks (`whsec_` and base64 of 32 bytes). It is derived,
 * so that nothing is stored, and a space's secret tells nothing of another's.
 */
export const deriveSpaceSecret = (master: string, space: string): string =>
  PREFIX + createHmac("sha256", master).update(`fnbus callback secret of space ${space}`).digest("base64");

/** Making a key costs as much as signing with it. Bounded by spaces in use; emptied when it is over (I11). */
const keys = new Map<string, KeyObject>();
const MAX_KEYS = 10_000;

/** The key of a secret. Throws TypeError where the text is no `whsec_` secret. */
export function toKey(secret: string): KeyObject {
  const known = keys.get(secret);
  if (known) return known;
  const key = secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), "base64") : undefined;
  if (!key || key.length < 24) throw new TypeError("a callback secret is whsec_ and at least 24 bytes as base64");
  if (keys.size >= MAX_KEYS) keys.clear();
  const made = createSecretKey(key);
  keys.set(secret, made);
  return made;
}
