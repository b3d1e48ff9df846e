import type { Bus, BusMessage, Subscription } from "@fnbus/bus";
import { type CheckAnswer, type CheckQuestion, EXECUTOR_QUEUE, subjects, toFnbusError } from "@fnbus/contract";

/** Checks at once on this executor: each is a process. More are refused, and asked again by the gateway's caller. */
const CHECKS_LIMIT = 4;

/** Answers whether code is fit to be deployed (CheckQuestion), before anything is accepted. */
export function serveChecks(
  bus: Bus,
  pool: string,
  check: (question: CheckQuestion) => Promise<CheckAnswer>,
): Subscription {
  let running = 0;
  async function answer(message: BusMessage): Promise<CheckAnswer> {
    if (running >= CHECKS_LIMIT) return { ok: false, code: "overloaded", message: "too many checks at once" };
    running++;
    try {
      return await check(JSON.parse(Buffer.from(message.data).toString()) as CheckQuestion);
    } catch (thrown) {
      const { code, message: text } = toFnbusError(thrown);
      return { ok: false, code, message: text };
    } finally {
      running--;
    }
  }
  return bus.subscribe(
    subjects.check(pool),
    (message) => void answer(message).then((said) => message.respond(Buffer.from(JSON.stringify(said)))),
    { queue: EXECUTOR_QUEUE },
  );
}
