import type { Bus, BusMessage, Subscription } from "@fnbus/bus";
import { type Answer, decodeQuestion, encodeAnswer, type Question, subjects, toFnbusError } from "@fnbus/contract";

/** Questions under way at once, waits among them (I11). */
const QUESTIONS_MAX = 30_000;

export interface QuestionEvents {
  answer(question: Question): Promise<{ answer: Answer; body?: Uint8Array }>;
  /** Of an error that the answer hides. */
  failed(error: unknown): void;
}

/** Answers what is asked of the partition's owner (lookup.ts of the contract). */
export function answerQuestions(bus: Bus, partition: number, events: QuestionEvents): Subscription {
  let open = 0;

  async function respond(message: BusMessage): Promise<void> {
    let bytes: Buffer;
    try {
      const { answer, body } = await events.answer(decodeQuestion(message.data));
      bytes = encodeAnswer(answer, body);
    } catch (thrown) {
      const error = toFnbusError(thrown);
      if (error.code === "internal") events.failed(error.cause);
      bytes = encodeAnswer({
        ok: false,
        code: error.code,
        message: error.message,
        ...(error.details ? { details: error.details } : {}),
      });
    }
    send(message, bytes);
  }

  function send(message: BusMessage, bytes: Buffer): void {
    try {
      message.respond(bytes);
    } catch (error) {
      events.failed(error);
    }
  }

  return bus.subscribe(subjects.ask(partition), (message) => {
    if (open >= QUESTIONS_MAX) {
      send(message, encodeAnswer({ ok: false, code: "overloaded", message: "too many questions at once" }));
      return;
    }
    open++;
    void respond(message).finally(() => open--);
  });
}
