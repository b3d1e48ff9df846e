import type { Bus, Subscription } from "@fnbus/bus";
import { type CallbackAnswer, type CallbackQuestion, FnbusError, subjects, toFnbusError } from "@fnbus/contract";

export interface QuestionPorts {
  redrive(space: string, id: string): Promise<void>;
  endpoints(): { host: string; paused: boolean; failingSince?: number; open: number; note?: string }[];
  resume(host: string): Promise<void>;
}

/** Answers ask.callbacks: JSON in, JSON out. Asked by the gateway for operators. */
export function answerQuestions(bus: Bus, ports: QuestionPorts): Subscription {
  async function answer(question: CallbackQuestion): Promise<CallbackAnswer> {
    switch (question.ask) {
      case "redrive":
        await ports.redrive(question.space, question.id);
        return { ok: true, answer: "redriven" };
      case "endpoints":
        return { ok: true, answer: "endpoints", endpoints: ports.endpoints() };
      case "resume":
        await ports.resume(question.host);
        return { ok: true, answer: "resumed" };
      default:
        throw new FnbusError("invalid_request", "no such question");
    }
  }
  return bus.subscribe(subjects.askCallbacks, (message) => {
    const read = async () => JSON.parse(Buffer.from(message.data).toString("utf8")) as CallbackQuestion;
    read()
      .then(answer)
      .catch((error: unknown): CallbackAnswer => {
        const { code, message: text } = toFnbusError(error);
        return { ok: false, code, message: text };
      })
      .then((result) => message.respond(Buffer.from(JSON.stringify(result))));
  });
}
