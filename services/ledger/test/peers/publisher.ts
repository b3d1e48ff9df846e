import { createHash } from "node:crypto";
import type { Bus, Packer } from "@fnbus/bus";
import {
  createId,
  deriveId,
  ENVELOPE_VERSION,
  type EnvelopeMeta,
  encodeFrame,
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
  /** The same with a verdict; the pack is repeated while none comes (L11). */
  acceptJudged(
    target: FunctionDefinition,
    body: string,
    extra?: Partial<EnvelopeMeta>,
    options?: FrameOptions,
  ): Promise<Verdict>;
  /** A keyed call and its verdict. */
  acceptKeyed(target: FunctionDefinition, key: string, body: string): Promise<Verdict>;
  close(): Promise<void>;
}

export function createPublisher(bus: Bus): Publisher {
  const waiting = new Map<string, (verdict: Verdict) => void>();
  const inbox = bus.createInbox((message) => {
    const { verdicts } = JSON.parse(Buffer.from(message.data).toString("utf8")) as { verdicts: Verdict[] };
    for (const verdict of verdicts) waiting.get(verdict.id)?.(verdict);
  });
  const packer: Packer = bus.createPacker(subjects.invocations(0), { headers: { [VERDICT_HEADER]: inbox.subject } });

  async function acceptJudged(
    target: FunctionDefinition,
    body: string,
    extra: Partial<EnvelopeMeta> = {},
    options: FrameOptions = {},
  ): Promise<Verdict> {
    const meta = toMeta(target, extra);
    const frame = encodeFrame({ meta, body: Buffer.from(body) }, { ...options, verdict: true });
    const verdict = new Promise<Verdict>((resolve) => waiting.set(meta.id, resolve));
    await packer.add(frame);
    const repeating = setInterval(() => void packer.add(frame), VERDICT_MS);
    return verdict.finally(() => clearInterval(repeating));
  }

  return {
    acceptJudged,
    async accept(target, body, extra = {}, options = {}) {
      const meta = toMeta(target, extra);
      await packer.add(encodeFrame({ meta, body: Buffer.from(body) }, options));
      return meta.id;
    },
    async acceptKeyed(target, key, body) {
      const id = deriveId("key", target.space, target.id, key);
      const bodyHash = createHash("sha256").update(body).digest();
      return acceptJudged(target, body, { id, idempotencyKey: key }, { bodyHash });
    },
    async close() {
      inbox.close();
      await packer.close();
    },
  };
}
