import { deriveId, type EnvelopeMeta } from "@fnbus/contract";

/** The envelope of the n-th redrive of a dead letter: a new invocation without the key or position of the first (L12). */
export function toRedriven(meta: EnvelopeMeta, id: string, n: number, revision: number, nowMs: number): EnvelopeMeta {
  const { idempotencyKey: _key, position: _position, bodyReference: _body, ...rest } = meta;
  return {
    ...rest,
    id: deriveId("redrive", id, String(n)),
    source: "redrive",
    redriveOf: id,
    revision,
    acceptedAt: nowMs,
  };
}
