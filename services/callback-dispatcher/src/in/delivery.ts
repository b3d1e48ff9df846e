import type { FreeRecord } from "@fnbus/contract";
import type { Logger } from "@fnbus/telemetry";
import { type CallbackReference, toJobId } from "../core/callback-reference.ts";
import { toCallbackRequest } from "../core/callback-request.ts";
import { type Judgement, judge, type PostResult } from "../core/judgement.ts";
import type { Callbacks } from "../out/callbacks.ts";
import type { Contents } from "../out/contents.ts";
import type { CallbackContent, Copies } from "../out/copies.ts";
import type { Records } from "../out/records.ts";
import type { Turns } from "./turns.ts";

/** What one delivery needs of the rest. */
export interface DeliveryPorts {
  contents: Contents;
  callbacks: Callbacks;
  records: Records;
  copies: Copies;
  turns: Turns;
  logger: Logger;
  schedule: readonly number[];
  maxAgeMs: number;
  isPaused(host: string): boolean;
  secretsOf(space: string): string[];
  /** Told of every try. */
  onTry(result: Judgement["verdict"], durationMs: number): void;
}

/** Ended, or to be looked at again at a time. `noTurn`: only because its host has no room; its job is to be put off. */
export type Next = "ended" | { atMs: number; attempts: number; noTurn?: true };

/** A paused host is looked at again after this; a resume wakes its callbacks at once. */
const PAUSED_MS = 3_600_000;
/** After a fault of ours, which is no try. */
const FAULT_MS = 5_000;
const BUSY_MS = 500;
const URL_CHARS = 2_048;
/** Ends of this process that are remembered: where Redis went away or was emptied before it heard of them, their jobs come again. */
const ENDED = 50_000;

/** Takes one callback one step further. Every try and every end is on RECORDS before this resolves. */
export function createDelivery(ports: DeliveryPorts): (reference: CallbackReference) => Promise<Next> {
  const ended = new Set<string>();
  const again = (reference: CallbackReference, delayMs: number): Next => ({
    atMs: Date.now() + delayMs,
    attempts: reference.attempts,
  });

  async function giveUp(
    reference: CallbackReference,
    content: CallbackContent | undefined,
    reason: string,
    tries: FreeRecord[],
  ): Promise<Next> {
    if (content) {
      await ports.copies.save("given-up", { reference, afterRecord: 0 }, content).catch((error: unknown) => {
        ports.logger.warn({ err: error, id: reference.id }, "a given-up callback cannot be kept for a redrive");
      });
    }
    const { id, partition, space, host } = reference;
    const attempts = reference.attempts + tries.length;
    const end: FreeRecord = { type: "callback-end", id, at: Date.now(), how: "given-up", attempts, reason };
    await ports.records.append(partition, [...tries, end]);
    ports.logger.warn({ id, space, host, attempts, reason }, "callback given up");
    return "ended";
  }

  async function conclude(
    reference: CallbackReference,
    content: CallbackContent,
    result: PostResult,
    at: number,
    durationMs: number,
  ): Promise<Next> {
    const attempt = reference.attempts + 1;
    const judgement = judge(result, attempt, ports.schedule, Math.random());
    ports.onTry(judgement.verdict, durationMs);
    const nextAt = judgement.verdict === "retry" ? Date.now() + judgement.delayMs : undefined;
    const tried: FreeRecord = {
      type: "callback-attempt",
      id: reference.id,
      attempt,
      url: (content.outcome.callbackUrl ?? "").slice(0, URL_CHARS),
      at,
      durationMs,
      ...("statusCode" in result ? { statusCode: result.statusCode } : { message: result.message }),
      ...(judgement.verdict === "delivered" ? {} : { errorCode: judgement.errorCode }),
      ...(nextAt === undefined ? {} : { nextAt }),
      ...(reference.redrive === 0 ? {} : { manual: true }),
    };
    if (judgement.verdict === "give-up") return giveUp(reference, content, judgement.reason, [tried]);
    if (nextAt !== undefined) {
      await ports.records.append(reference.partition, [tried]);
      return { atMs: nextAt, attempts: attempt };
    }
    const end: FreeRecord = {
      type: "callback-end",
      id: reference.id,
      at: at + durationMs,
      how: "delivered",
      attempts: attempt,
    };
    await ports.records.append(reference.partition, [tried, end]);
    return "ended";
  }

  /** In its turn: reads and sends. undefined: nothing was sent. */
  async function send(reference: CallbackReference, content: CallbackContent): Promise<[PostResult, number, number]> {
    const at = Date.now();
    const began = performance.now();
    const request = toCallbackRequest(content.outcome, content.body);
    const result = await ports.callbacks.post(request, ports.secretsOf(reference.space));
    return [result, at, Math.round(performance.now() - began)];
  }

  async function deliver(reference: CallbackReference): Promise<Next> {
    const isOld = Date.now() - reference.since > ports.maxAgeMs;
    if (!isOld && ports.isPaused(reference.host)) return again(reference, PAUSED_MS);
    const turn = isOld ? "go" : await ports.turns.take(reference.host, toJobId(reference));
    if (turn !== "go") return { atMs: turn.atMs, attempts: reference.attempts, noTurn: true };
    let took: { durationMs: number; failed: boolean } | undefined;
    let content: CallbackContent | "busy" | undefined;
    let sent: [PostResult, number, number] | undefined;
    try {
      content = await ports.contents.read(reference);
      if (content === "busy") return again(reference, BUSY_MS);
      if (content && !isOld) {
        sent = await send(reference, content);
        took = { durationMs: sent[2], failed: !("statusCode" in sent[0]) || sent[0].statusCode >= 500 };
      }
    } catch (error) {
      ports.logger.warn({ err: error, id: reference.id }, "a callback cannot be read: again");
      return again(reference, FAULT_MS);
    } finally {
      if (!isOld) ports.turns.leave(reference.host, took);
      if (content && content !== "busy") ports.contents.release(content);
    }
    if (content && sent) return conclude(reference, content, ...sent);
    return giveUp(reference, content, content ? "older than callbacks may get" : "its outcome is no longer kept", []);
  }

  return async (reference) => {
    const key = toJobId(reference);
    if (ended.has(key)) return "ended";
    const next = await deliver(reference);
    if (next === "ended") ended.add(key);
    if (ended.size > ENDED) ended.delete(ended.values().next().value!);
    return next;
  };
}
