import { type Bus, isBusError } from "@fnbus/bus";
import { type Answer, decodeAnswer, encodeQuestion, FnbusError, type Question, subjects } from "@fnbus/contract";

/** An answer that is not a refusal. */
export type GoodAnswer = Extract<Answer, { ok: true }>;

/** Questions to the owners of partitions. */
export interface Ledger {
  /** Throws `ledger_unavailable`, and what the ledger refused with (`invocation_not_found`, `result_gone`, …). */
  ask<A extends GoodAnswer["answer"]>(
    partition: number,
    question: Question,
    expected: A,
  ): Promise<{ answer: Extract<GoodAnswer, { answer: A }>; body: Uint8Array }>;
  /** Asks every partition in turn until one knows the invocation. */
  askAll<A extends GoodAnswer["answer"]>(
    question: Question,
    expected: A,
  ): Promise<{ answer: Extract<GoodAnswer, { answer: A }>; body: Uint8Array; partition: number }>;
  readonly partitions: number;
}

/** For an answer beyond the time that the question itself may take, ms. */
const ANSWER_MS = 5_000;

export function createLedger(bus: Bus, partitions: number): Ledger {
  async function request(partition: number, question: Question): Promise<Uint8Array> {
    const waitMs = question.ask === "wait" ? question.timeoutMs : 0;
    try {
      return (await bus.request(subjects.ask(partition), encodeQuestion(question), { timeoutMs: waitMs + ANSWER_MS }))
        .data;
    } catch (error) {
      throw isBusError(error) ? new FnbusError("ledger_unavailable", undefined, { cause: error }) : error;
    }
  }

  const ledger: Ledger = {
    partitions,
    async ask(partition, question, expected) {
      const { answer, body } = decodeAnswer(await request(partition, question));
      if (!answer.ok)
        throw new FnbusError(answer.code, answer.message, answer.details ? { details: answer.details } : {});
      if (answer.answer !== expected)
        throw new FnbusError("internal", undefined, { cause: new Error(`the ledger answered ${answer.answer}`) });
      return { answer: answer as Extract<GoodAnswer, { answer: typeof expected }>, body };
    },
    async askAll(question, expected) {
      for (let partition = 0; ; partition++) {
        try {
          return { ...(await ledger.ask(partition, question, expected)), partition };
        } catch (error) {
          const isElsewhere = error instanceof FnbusError && error.code === "invocation_not_found";
          if (!isElsewhere || partition + 1 >= partitions) throw error;
        }
      }
    },
  };
  return ledger;
}
