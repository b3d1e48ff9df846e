import {
  type Answer,
  deriveId,
  FnbusError,
  type InvocationState,
  type InvocationView,
  isId,
  type OutcomeRecord,
  type Question,
} from "@fnbus/contract";
import { toEndedView } from "../projection/view.ts";
import { findInvocation } from "./find.ts";
import { readMarks } from "./marks.ts";
import { readGiveUps, readPage } from "./page.ts";
import type { Sources } from "./sources.ts";
import { createWaiters } from "./waiters.ts";

/** Longest wait of one question; who waits longer asks again. */
const WAIT_MAX_MS = 300_000;
/** A projected end follows its record by milliseconds. */
const PROJECTED_WITHIN_MS = 5000;
/** Redrives of one dead letter. */
const REDRIVES_MAX = 1000;

type Answered = { answer: Answer; body?: Uint8Array };

/** Answers to questions about invocations (lookup.ts of the contract). */
export interface LookUp {
  /** Throws FnbusError. */
  answer(question: Question): Promise<Answered>;
  /** An outcome is durable: who waits for it is answered. */
  ended(record: OutcomeRecord, bytes: number, sequence: number): void;
  close(): void;
}

export function createLookUp(sources: Sources): LookUp {
  const waiters = createWaiters<InvocationView | { sequence: number }>();

  async function wait(space: string, id: string, timeoutMs: number): Promise<InvocationView> {
    const waiter = waiters.wait(id, Math.min(timeoutMs, WAIT_MAX_MS));
    try {
      const found = await findInvocation(sources, space, id);
      if (found.kind === "ended") return found.view;
      const ended = await waiter.ended;
      if (ended && "id" in ended) return ended;
      if (ended) await sources.projection.passed(ended.sequence, PROJECTED_WITHIN_MS);
      return (await findInvocation(sources, space, id)).view;
    } finally {
      waiter.cancel();
    }
  }

  async function result(space: string, id: string): Promise<Answered> {
    const found = await findInvocation(sources, space, id);
    if (found.kind === "live")
      throw new FnbusError("invocation_unfinished", undefined, { details: { state: found.view.state } });
    const { view, sequence, index } = found;
    const gone = () => new FnbusError("result_gone", undefined, { details: { state: view.state } });
    if (!view.result) throw gone();
    const { statusCode, headers, bodyReference } = view.result;
    const answer: Answer = { ok: true, answer: "result", statusCode, headers };
    if (bodyReference) return { answer: { ...answer, bodyReference } };
    const body = sequence === 0 ? undefined : await sources.readResult(sequence, index);
    if (!body) throw gone();
    return { answer, body };
  }

  async function cancel(space: string, id: string): Promise<Answered> {
    const found = await findInvocation(sources, space, id);
    const ended = (state: InvocationState) => new FnbusError("invocation_ended", undefined, { details: { state } });
    if (found.kind === "ended") throw ended(found.view.state);
    const state = await sources.cancel(id);
    if (state === undefined) throw new FnbusError("invocation_not_found");
    if (["succeeded", "failed", "expired", "dead-lettered"].includes(state)) throw ended(state);
    return { answer: { ok: true, answer: "cancelled", state } };
  }

  async function redrive(space: string, id: string): Promise<Answered> {
    const found = await findInvocation(sources, space, id);
    if (found.view.state !== "dead-lettered" || found.kind !== "ended")
      throw new FnbusError("not_redrivable", undefined, { details: { state: found.view.state } });
    const frame = found.place && (await sources.readKept(id, found.place));
    if (!frame) throw new FnbusError("envelope_gone");
    for (let n = 1; n <= REDRIVES_MAX; n++) {
      const derived = deriveId("redrive", id, String(n));
      if (!sources.view.find(derived) && !(await sources.projection.ask("get", derived)))
        return { answer: { ok: true, answer: "envelope", n }, body: frame };
    }
    throw new FnbusError("not_redrivable", `redriven ${REDRIVES_MAX} times`);
  }

  async function ask(question: Question): Promise<Answered> {
    if ("id" in question && !isId(question.id)) throw new FnbusError("invocation_not_found");
    switch (question.ask) {
      case "get": {
        const { view } = await findInvocation(sources, question.space, question.id);
        return { answer: { ok: true, answer: "invocation", invocation: view } };
      }
      case "wait": {
        const invocation = await wait(question.space, question.id, question.timeoutMs);
        return { answer: { ok: true, answer: "invocation", invocation } };
      }
      case "result":
        return result(question.space, question.id);
      case "list":
        return { answer: { ok: true, answer: "page", ...(await readPage(sources, question.filter)) } };
      case "cancel":
        return cancel(question.space, question.id);
      case "redrive":
        return redrive(question.space, question.id);
      case "give-ups": {
        const page = await readGiveUps(sources, question.limit, question.before);
        return { answer: { ok: true, answer: "give-ups", ...page } };
      }
      case "marks":
        return { answer: { ok: true, answer: "marks", marks: await readMarks(sources, question.sources) } };
      case "totals": {
        const { accepted, unfinished, ended, dropped } = sources.view.totals();
        return { answer: { ok: true, answer: "totals", accepted, unfinished, ended: { ...ended }, dropped } };
      }
      default:
        throw new FnbusError("invalid_request", "unknown question");
    }
  }

  return {
    answer: ask,
    ended(record, bytes, sequence) {
      if (!waiters.has(record.id)) return;
      // With a history the projection answers; without one the record says it all.
      const isWhole = record.attempts <= 1 && record.lost === 0;
      waiters.tell(
        record.id,
        isWhole
          ? toEndedView({
              record,
              mode: "async",
              bytes,
              history: [],
              callbackAttempts: [],
              callbackEnd: undefined,
            })
          : { sequence },
      );
    },
    close: waiters.close,
  };
}
