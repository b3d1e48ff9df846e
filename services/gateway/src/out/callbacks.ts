import { type Bus, isBusError } from "@fnbus/bus";
import { type CallbackAnswer, type CallbackQuestion, FnbusError, subjects } from "@fnbus/contract";

export type GoodCallbackAnswer = Extract<CallbackAnswer, { ok: true }>;

/** Questions to callback-dispatcher. */
export interface Callbacks {
  /** Throws `callbacks_unavailable`, and what it refused with. */
  ask(question: CallbackQuestion): Promise<GoodCallbackAnswer>;
}

const ANSWER_MS = 5_000;

export function createCallbacks(bus: Bus): Callbacks {
  return {
    async ask(question) {
      const bytes = await bus
        .request(subjects.askCallbacks, Buffer.from(JSON.stringify(question)), { timeoutMs: ANSWER_MS })
        .catch((error: unknown) => {
          throw isBusError(error) ? new FnbusError("callbacks_unavailable", undefined, { cause: error }) : error;
        });
      const answer = JSON.parse(Buffer.from(bytes.data).toString("utf8")) as CallbackAnswer;
      if (!answer.ok) throw new FnbusError(answer.code, answer.message);
      return answer;
    },
  };
}
