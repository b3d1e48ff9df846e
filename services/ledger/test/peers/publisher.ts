import { createHash } from "node:crypto";
import type { Bus, Packer } from "@fnbus/bus";
import {
  createId,
  deriveId,
  ENVELOPE_VERSION,
  type EnvelopeMeta,
  encodeFrame,
  encodeInvocationPack,
  type FrameOptions,
  type FunctionDefinition,
  subjects,
  VERDICT_HEADER,
  type Verdict,
} from "@fnbus/contract";

/** An envelope of a call to `target`, as a gateway makes it. */
export const toMeta = (target: FunctionDefinition, extra: Partial<EnvelopeMeta> = {}): EnvelopeMeta => ({
  v: ENVELOPE_VERSION,
  id: createId(),
  space: target.space,
  function: target.name,
  qualifier: "latest",
  registryId: target.id,
  revision: 0,
  partition: 0,
  kind: "http",
  source: "http",
  method: "POST",
  path: "/",
  query: "",
  headers: [],
  deadlineMs: 0,
  acceptedAt: Date.now(),
  ...extra,
});

const VERDICT_MS = 1000;

export interface Publisher {
  /** Accepted: its id, once the stream has acknowledged it (I1). */
  accept(
    target: FunctionDefinition,
    body: string,
    extra?: Partial<EnvelopeMeta>,
    options?: FrameOptions,
  ): Promise<string>;
  /** A keyed call and its verdict; the pack is repeated while none comes (L11). */
  acceptKeyed(target: FunctionDefinition, key: string, body: string): Promise<Verdict>;
  close(): Promise<void>;
}

export function createPublisher(bus: Bus): Publisher {
  const packer: Packer = bus.createPacker(subjects.invocations(0));
  const waiting = new Map<string, (verdict: Verdict) => void>();
  const inbox = bus.createInbox((message) => {
    const { verdicts } = JSON.parse(Buffer.from(message.data).toString("utf8")) as { verdicts: Verdict[] };
    for (const verdict of verdicts) waiting.get(verdict.id)?.(verdict);
  });
  return {
    async accept(target, body, extra = {}, options = {}) {
      const meta = toMeta(target, extra);
      await packer.add(encodeFrame({ meta, body: Buffer.from(body) }, options));
      return meta.id;
    },
    async acceptKeyed(target, key, body) {
      const id = deriveId("key", target.space, target.id, key);
      const meta = toMeta(target, { id, idempotencyKey: key });
      const bodyHash = createHash("sha256").update(body).digest();
      const frame = encodeFrame({ meta, body: Buffer.from(body) }, { verdict: true, bodyHash });
      const verdict = new Promise<Verdict>((resolve) => waiting.set(id, resolve));
      const publish = () =>
        bus.append(subjects.invocations(0), encodeInvocationPack([frame]), {
          headers: { [VERDICT_HEADER]: inbox.subject },
        });
      await publish();
      const repeating = setInterval(() => void publish(), VERDICT_MS);
      return verdict.finally(() => clearInterval(repeating));
    },
    async close() {
      inbox.close();
      await packer.close();
    },
  };
}
