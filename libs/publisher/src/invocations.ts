import type { Bus, Packer } from "@fnbus/bus";
import { type Envelope, FnbusError, type FrameOptions, subjects, VERDICT_HEADER, type Verdict } from "@fnbus/contract";
import type { Bodies } from "./bodies.ts";
import { createFrames } from "./frames.ts";
import { createOrdered } from "./ordered.ts";
import { isUnknown, publishUntil } from "./publish-until.ts";
import { VERDICT_TIMEOUT_MS, type Verdicts } from "./verdicts.ts";

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
  accept(envelope: Envelope, frame?: FrameOptions): Promise<Accepted>;
  /** The same, and the ledger's verdict on the id. Throws `verdict_missing`, `idempotency_conflict` too. */
  acceptOnce(envelope: Envelope, options: FrameOptions & { bodyHash: Uint8Array }): Promise<Accepted>;
  /** The ledger's verdict as it is: for sources that count. Throws as `acceptOnce`, but for a verdict. */
  acceptJudged(envelope: Envelope, frame: FrameOptions): Promise<Verdict>;
  /** Envelopes of one partition in their order (Publisher.sendInOrder). */
  acceptInOrder(envelopes: readonly { envelope: Envelope; frame: FrameOptions }[]): Promise<Verdict[]>;
  close(): Promise<void>;
}

export interface InvocationsOptions {
  partitions: number;
  /** For acknowledgement and verdict in all. */
  timeoutMs: number;
}

/** One publish: 2-3 s (RELIABILITY.md 2.4), so that a lost one is repeated while the caller waits. */
const PUBLISH_TIMEOUT_MS = 2_500;
/** A repeated envelope's verdicts come twice: so long another request with its key is not judged by the second, ms. */
const ECHO_MS = 10_000;

export function createInvocations(
  bus: Bus,
  bodies: Bodies,
  verdicts: Verdicts,
  options: InvocationsOptions,
): Invocations {
  const publishing = {
    headers: { [VERDICT_HEADER]: verdicts.inbox },
    timeoutMs: Math.min(PUBLISH_TIMEOUT_MS, options.timeoutMs),
  };
  const packers: Packer[] = Array.from({ length: options.partitions }, (_, partition) =>
    bus.createPacker(subjects.invocations(partition), publishing),
  );
  const toFrame = createFrames(bus, bodies, packers);
  const ordered = createOrdered(bus, verdicts, toFrame, { ...publishing, totalMs: options.timeoutMs });
  /** One request with the same id at a time, so that a verdict belongs to the one that waits. */
  const turns = new Map<string, Promise<unknown>>();
  const echoes = new Map<string, string>();

  const publish = (partition: number, id: string, frame: Buffer, untilMs: number) =>
    publishUntil(() => packers[partition]!.add(frame), id, untilMs);

  /** Publishes until a verdict comes. `attempt`: how often it was published. */
  async function publishJudged(
    envelope: Envelope,
    frameOptions: FrameOptions,
    untilMs: number,
  ): Promise<{ verdict: Verdict; attempt: number }> {
    const { id, partition } = envelope.meta;
    const missing = () => new FnbusError("verdict_missing", undefined, { details: { id } });
    if (performance.now() >= untilMs) throw missing();
    const hash = frameOptions.bodyHash ? Buffer.from(frameOptions.bodyHash).toString("hex") : "";
    if ((echoes.get(id) ?? hash) !== hash) throw missing();
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
      // What is known after a repeat may be our own first copy, which names the body: the sweep takes it if not.
      if (verdict.verdict !== "new" && !(verdict.verdict === "known" && attempt > 1)) drop();
      return { verdict, attempt };
    }
    throw missing();
  }

  function rememberEcho(id: string, hash: string): void {
    echoes.set(id, hash);
    setTimeout(() => echoes.delete(id), ECHO_MS).unref();
  }

  /** After whoever published the same id before. */
  function inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const mine = (turns.get(id) ?? Promise.resolve()).then(work);
    const settled = mine.then(
      () => undefined,
      () => undefined,
    );
    turns.set(id, settled);
    settled.then(() => {
      if (turns.get(id) === settled) turns.delete(id);
    });
    return mine;
  }

  return {
    async accept(envelope, frameOptions = {}) {
      const { id, partition } = envelope.meta;
      const stored = toFrame(envelope, frameOptions);
      const { frame, drop } = stored instanceof Promise ? await stored : stored;
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
      // The wait for the turn counts: many with one key that nobody judges would wait for each other's whole time.
      const untilMs = performance.now() + options.timeoutMs;
      const { verdict, attempt } = await inTurn(id, () => publishJudged(envelope, frameOptions, untilMs));
      if (verdict.verdict === "conflict") throw new FnbusError("idempotency_conflict", undefined, { details: { id } });
      if (verdict.verdict === "refused") throw new FnbusError(verdict.errorCode, undefined, { details: { id } });
      return { id, replayed: verdict.verdict === "known" && attempt === 1 };
    },
    async acceptJudged(envelope, frameOptions) {
      const untilMs = performance.now() + options.timeoutMs;
      const { verdict, attempt } = await inTurn(envelope.meta.id, () => publishJudged(envelope, frameOptions, untilMs));
      // What the ledger knows of a repeat is our own first copy.
      return verdict.verdict === "known" && attempt > 1 && verdict.state !== "dropped"
        ? { id: verdict.id, verdict: "new" }
        : verdict;
    },
    acceptInOrder: ordered,
    async close() {
      await Promise.all(packers.map((packer) => packer.close()));
      verdicts.close();
    },
  };
}
