import { timingSafeEqual } from "node:crypto";
import { type AccessKey, FnbusError, hashSecret, holdsScope, parseKeyText, type Scope } from "@fnbus/contract";

/** Compared against where no such key is known, so that an unknown id costs what a wrong secret costs. */
const NO_HASH = hashSecret("");
const bearer = /^Bearer +(\S{1,512}) *$/i;

/**
 * The key that an Authorization header names. Throws `unauthenticated` for anything that is not a valid key, with one text
 * for all of it; `key_expired`, `key_revoked` are told only to who holds the secret.
 */
export function toCaller(
  authorization: string | undefined,
  keyById: (id: string) => AccessKey | undefined,
  nowMs: number,
): AccessKey {
  const text = authorization === undefined ? undefined : bearer.exec(authorization)?.[1];
  const parsed = text === undefined ? undefined : parseKeyText(text);
  if (!parsed) throw new FnbusError("unauthenticated");
  const key = keyById(parsed.id);
  const isRight = isSecret(parsed.secret, key?.secretHash ?? NO_HASH);
  // A client's secret opens /oauth2/token only.
  if (!key || !isRight || key.kind === "client") throw new FnbusError("unauthenticated");
  checkLife(key, nowMs);
  const client = key.client === undefined ? undefined : keyById(key.client);
  if (key.client !== undefined) {
    if (!client) throw new FnbusError("key_revoked", "the token's client is gone");
    checkLife(client, nowMs);
  }
  return key;
}

/** Compares in constant time. */
export const isSecret = (secret: string, secretHash: string): boolean =>
  timingSafeEqual(Buffer.from(hashSecret(secret), "hex"), Buffer.from(secretHash, "hex"));

/** Throws `key_expired`, `key_revoked`. */
export function checkLife(key: AccessKey, nowMs: number): void {
  if (key.revokedAt !== undefined) throw new FnbusError("key_revoked");
  if (key.expiresAt !== undefined && nowMs >= key.expiresAt) throw new FnbusError("key_expired");
}

export const maySee = (key: AccessKey, space: string): boolean => key.spaces.length === 0 || key.spaces.includes(space);

/** Throws `space_forbidden`, `scope_missing`. Without a space: what concerns the whole platform, for keys of all spaces. */
export function checkAccess(key: AccessKey, scope: Scope, space: string | undefined): void {
  if (space === undefined ? key.spaces.length > 0 : !maySee(key, space)) throw new FnbusError("space_forbidden");
  if (!holdsScope(key.scopes, scope)) throw new FnbusError("scope_missing", undefined, { details: { scope } });
}
