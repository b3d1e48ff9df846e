import type { AccessKey } from "@fnbus/contract";
import { checkLife, toCaller } from "@fnbus/signing";

/** Keys whose secret was seen to be right, at once; the ones verified first go first (I11). */
const MAX_VERIFIED = 1_000;

/** Who an Authorization header names. Throws what `toCaller` throws. */
export type ToCaller = (authorization: string | undefined, nowMs: number) => AccessKey;

/**
 * Remembers headers that were verified, so that a caller's secret is hashed once and not with every call. One stands for as
 * long as the index holds the very key that it was verified against: a change, or a removal, makes another. Tokens are
 * verified each time: their client's life counts too.
 */
export function createCallers(keyById: (id: string) => AccessKey | undefined): ToCaller {
  const verified = new Map<string, AccessKey>();
  return (authorization, nowMs) => {
    const known = authorization === undefined ? undefined : verified.get(authorization);
    if (known && keyById(known.id) === known) {
      checkLife(known, nowMs);
      return known;
    }
    const key = toCaller(authorization, keyById, nowMs);
    if (key.kind === "key") {
      verified.set(authorization!, key);
      if (verified.size > MAX_VERIFIED) verified.delete(verified.keys().next().value!);
    }
    return key;
  };
}
