import { type Bus, isBusError } from "@fnbus/bus";
import { type CheckAnswer, type CheckQuestion, FnbusError, subjects } from "@fnbus/contract";

/** Asks an executor whether code is fit to be deployed: does it parse, does it have its handler? */
export interface CodeChecks {
  /**
   * Warnings; one of them says so where no executor answered, and nothing was checked.
   * Throws what the executor refused with (`source_invalid`, `handler_missing`, `isolation_unavailable`).
   */
  check(pool: string, question: CheckQuestion): Promise<string[]>;
}

/** Loading may take an executor 10 s. */
const ANSWER_MS = 15_000;

export function createCodeChecks(bus: Bus): CodeChecks {
  return {
    async check(pool, question) {
      let data: Uint8Array;
      try {
        const request = Buffer.from(JSON.stringify(question));
        data = (await bus.request(subjects.check(pool), request, { timeoutMs: ANSWER_MS })).data;
      } catch (error) {
        if (!isBusError(error)) throw error;
        return ["the code was not loaded for a check: no executor of the pool answered"];
      }
      const answer = JSON.parse(Buffer.from(data).toString("utf8")) as CheckAnswer;
      if (!answer.ok)
        throw new FnbusError(answer.code, answer.message, answer.details ? { details: answer.details } : {});
      return answer.warnings;
    },
  };
}
