import { type Bus, isBusError, type Packer } from "@fnbus/bus";
import {
  type Envelope,
  encodeFrame,
  FnbusError,
  type FrameOptions,
  limits,
  subjects,
  VERDICT_HEADER,
} from "@fnbus/contract";
import type { Bodies } from "./bodies.ts";
import type { Verdicts } from "./verdicts.ts";

export interface Accepted {
  id: string;
  /** The key, or the redrive, was known: this invocation exists already (I2). */
  replayed: boolean;
}

/** The durable way in: an envelope is accepted when the log has acknowledged the pack that holds it (I1). */
export interface Invocations {
  /**
   * Throws `accept_unknown` (it may be stored), `broker_unavailable`, `storage_full`, `overloaded` (it is not).
   */
  accept(envelope: Envelope): Promise<Accepted>;
  /** The same, and the ledger's verdict on the id. Throws `verdict_missing`, `idempotency_conflict` too. */
  acceptOnce(envelope: Envelope, options: FrameOptions & { bodyHash: Uint8Array }): Promise<Accepted>;
  close(): Promise<void>;
}

export interface InvocationsOptions {
  partitions: number;
  /** For acknowledgement and verdict in all. */
  timeoutMs: number;
}

/** One publish: 2-3 s (RELIABILITY.md 2.4), so that a lost one is repeated while the caller waits. */
const PUBLISH_TIMEOUT_MS = 2_500;
/** A pack whose verdict is late is repeated: the ledger answers a repeat as it answered first. */
const VERDICT_TIMEOUT_MS = 1_500;
/** Between tries of a publish that was refused or cut off. */
const REPEAT_AFTER_MS = 50;
/** Frames of one partition that wait or are in flight (I11). */
const MAX_PENDING_FRAMES = 50_000;
const MAX_PENDING_BYTES = 256 * 1024 * 1024;
/** A repeated envelope's verdicts come twice: so long another request with its key is not judged by the second, ms. */
const ECHO_MS = 10_000;

export function createInvocations(
  bus: Bus,
  bodies: Bodies,
  verdicts: Verdicts,
  options: InvocationsOptions,
): Invocations {
  const packers: Packer[] = Array.from({ length: options.partitions }, (_, partition) =>
    bus.createPacker(subjects.invocations(partition), {
      headers: { [VERDICT_HEADER]: verdicts.inbox },
      timeoutMs: Math.min(PUBLISH_TIMEOUT_MS, options.timeoutMs),
    }),
  );
  /** One request with the same id at a time, so that a verdict belongs to the one that waits. */
  const turns = new Map<string, Promise<unknown>>();
  const echoes = new Map<string, string>();

  async function toFrame(envelope: Envelope, frameOptions: FrameOptions): Promise<{ frame: Buffer; drop(): void }> {
    const { meta, body } = envelope;
    const packer = packers[meta.partition];
    if (!packer) throw new FnbusError("internal", undefined, { cause: new Error(`no partition ${meta.partition}`) });
    // Nothing can have been sent yet: a plain refusal, at once, where later nobody could tell (I1).
    if (!bus.isConnected()) throw new FnbusError("broker_unavailable");
    const { frames, bytes } = packer.pending;
    if (frames >= MAX_PENDING_FRAMES || bytes >= MAX_PENDING_BYTES) throw new FnbusError("overloaded");
    if (body.length <= limits.inlineBodyBytes) return { frame: encodeFrame(envelope, frameOptions), drop() {} };
    const bodyReference = await bodies.put(meta.partition, meta.id, body);
    const frame = encodeFrame({ meta: { ...meta, bodyReference }, body: new Uint8Array(0) }, frameOptions);
    return { frame, drop: () => bodies.drop(bodyReference) };
  }

  /** Publishes the same frame until it is acknowledged: a second copy of an id is dropped by the ledger (L9). */
  async function publish(partition: number, id: string, frame: Buffer, untilMs: number): Promise<void> {
    let inDoubt = false;
    for (;;) {
      try {
        await packers[partition]!.add(frame);
        return;
      } catch (error) {
        if (!isBusError(error)) throw error;
        inDoubt ||= error.isInDoubt;
        const isFinal = error.code === "full" || error.code === "too_large" || error.code === "closed";
        if (isFinal || performance.now() + REPEAT_AFTER_MS >= untilMs) throw toRefusal(error.code, inDoubt, id);
      }
      await new Promise((resolve) => setTimeout(resolve, REPEAT_AFTER_MS));
    }
  }

  async function publishOnce(
    envelope: Envelope,
    frameOptions: FrameOptions & { bodyHash: Uint8Array },
    untilMs: number,
  ): Promise<Accepted> {
    const { id, partition } = envelope.meta;
    if (performance.now() >= untilMs) throw new FnbusError("verdict_missing", undefined, { details: { id } });
    const hash = Buffer.from(frameOptions.bodyHash).toString("hex");
    if ((echoes.get(id) ?? hash) !== hash) throw new FnbusError("verdict_missing", undefined, { details: { id } });
    const { frame, drop } = await toFrame(envelope, { ...frameOptions, verdict: true });
    for (let attempt = 1; performance.now() < untilMs; attempt++) {
      if (attempt === 2) rememberEcho(id, hash);
      const patience = new AbortController();
      // Asked for before the pack is sent: the verdict may overtake the acknowledgement.
      const next = verdicts.next(id, patience.signal);
      try {
        await publish(partition, id, frame, untilMs);
      } catch (error) {
        patience.abort();
        if (!isUnknown(error)) drop();
        throw error;
      }
      const leftMs = Math.max(0, Math.min(VERDICT_TIMEOUT_MS, untilMs - performance.now()));
      const late = setTimeout(() => patience.abort(), leftMs);
      const verdict = await next;
      clearTimeout(late);
      if (verdict === undefined) continue;
      if (verdict.verdict !== "new") drop();
      if (verdict.verdict === "conflict") throw new FnbusError("idempotency_conflict", undefined, { details: { id } });
      if (verdict.verdict === "refused") throw new FnbusError(verdict.errorCode, undefined, { details: { id } });
      return { id, replayed: verdict.verdict === "known" && attempt === 1 };
    }
    throw new FnbusError("verdict_missing", undefined, { details: { id } });
  }

  function rememberEcho(id: string, hash: string): void {
    echoes.set(id, hash);
    setTimeout(() => echoes.delete(id), ECHO_MS).unref();
  }

  return {
    async accept(envelope) {
      const { id, partition } = envelope.meta;
      const { frame, drop } = await toFrame(envelope, {});
      try {
        await publish(partition, id, frame, performance.now() + options.timeoutMs);
      } catch (error) {
        if (!isUnknown(error)) drop();
        throw error;
      }
      return { id, replayed: false };
    },
    async acceptOnce(envelope, frameOptions) {
      const { id } = envelope.meta;
      const before = turns.get(id);
      // The wait for the turn counts: many with one key that nobody judges would wait for each other's whole time.
      const untilMs = performance.now() + options.timeoutMs;
      const mine = (before ?? Promise.resolve()).then(() => publishOnce(envelope, frameOptions, untilMs));
      const settled = mine.then(
        () => undefined,
        () => undefined,
      );
      turns.set(id, settled);
      settled.then(() => {
        if (turns.get(id) === settled) turns.delete(id);
      });
      return mine;
    },
    async close() {
      await Promise.all(packers.map((packer) => packer.close()));
      verdicts.close();
    },
  };
}

const isUnknown = (error: unknown): boolean => error instanceof FnbusError && error.code === "accept_unknown";

function toRefusal(code: string, inDoubt: boolean, id: string): FnbusError {
  if (inDoubt) return new FnbusError("accept_unknown", undefined, { details: { id } });
  if (code === "full") return new FnbusError("storage_full", undefined, { retryAfterSeconds: 5 });
  if (code === "closed") return new FnbusError("stopping");
  if (code === "too_large") return new FnbusError("headers_too_large", "the envelope is larger than the broker takes");
  return new FnbusError("broker_unavailable");
}
