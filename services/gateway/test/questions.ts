import type { Bus } from "@fnbus/bus";
import {
  type Answer,
  decodeQuestion,
  ENVELOPE_VERSION,
  encodeAnswer,
  encodeFrame,
  type InvocationView,
  type Question,
  streams,
  subjects,
} from "@fnbus/contract";
import { onTestFinished } from "vitest";

const noneEnded = { succeeded: 0, failed: 0, cancelled: 0, expired: 0, "dead-lettered": 2 };

const noAnswer: Answer = { ok: true, answer: "result", statusCode: 0, headers: [] };
const resultGone: Answer = { ok: false, code: "result_gone", message: "no longer held" };

export interface Questions {
  asked: Question[];
  /** The result is no longer held. */
  gone: boolean;
  /** The run failed before the function answered. */
  unanswered: boolean;
}

/** Answers the look-up's questions about one dead letter, until the test is over. Resolves when the broker knows of it. */
export async function createAnswer(bus: Bus, id: string, registryId: string): Promise<Questions> {
  const asked: Question[] = [];
  const invocation: InvocationView = {
    ...{
      id,
      state: "dead-lettered",
      space: "default",
      function: "dead",
      registryId,
      qualifier: "latest",
      source: "http",
    },
    ...{ mode: "async", method: "POST", path: "/", acceptedAt: 1, endedAt: 2, attempts: 1, lost: 0, history: [] },
    result: { statusCode: 500, headers: [["x-mine", "1"]], bytes: 8 },
  };
  const frame = encodeFrame({
    meta: {
      ...{ v: ENVELOPE_VERSION, id, space: "default", function: "dead", qualifier: "latest", registryId, revision: 1 },
      ...{ partition: 0, kind: "http", source: "http", method: "POST", path: "/", query: "", headers: [] },
      ...{ deadlineMs: 0, idempotencyKey: "used", acceptedAt: 1 },
    },
    body: Buffer.from("again"),
  });
  const answers: Record<Question["ask"], Answer> = {
    get: { ok: true, answer: "invocation", invocation },
    wait: { ok: true, answer: "invocation", invocation },
    result: { ok: true, answer: "result", statusCode: 500, headers: [["x-mine", "1"]] },
    list: { ok: true, answer: "page", invocations: [invocation], next: "more" },
    cancel: { ok: false, code: "invocation_ended", message: "ended" },
    redrive: { ok: true, answer: "envelope", n: 1 },
    "give-ups": { ok: true, answer: "give-ups", giveUps: [], next: 7 },
    marks: { ok: true, answer: "marks", marks: [] },
    totals: { ok: true, answer: "totals", accepted: 3, unfinished: 1, dropped: 0, ended: noneEnded },
  };
  const bodies: Partial<Record<Question["ask"], Uint8Array>> = { result: Buffer.from("the body"), redrive: frame };
  const subscription = bus.subscribe(subjects.ask(0), (message) => {
    const question = decodeQuestion(message.data);
    asked.push(question);
    const isGone = questions.gone && question.ask === "result";
    const isUnanswered = questions.unanswered && question.ask === "result";
    const answer = isGone ? resultGone : isUnanswered ? noAnswer : answers[question.ask];
    message.respond(encodeAnswer(answer, isGone ? undefined : bodies[question.ask]));
  });
  onTestFinished(() => subscription.unsubscribe());
  await bus.streamState(streams.invocations(0));
  const questions: Questions = { asked, gone: false, unanswered: false };
  return questions;
}
