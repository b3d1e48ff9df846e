import {
  type CheckAnswer,
  type CheckQuestion,
  createId,
  defaultSettings,
  type FunctionDefinition,
} from "@fnbus/contract";
import { toCheckAnswer } from "../core/check-answer.ts";
import { LoadFailure, type StartInstance } from "./start-instance.ts";

/** Loading takes at most this, whatever the function's own limit is. */
const CHECK_MS = 10_000;

/** Loads code in an instance that is thrown away. Throws FnbusError where it cannot be tried. */
export function createCheck(startInstance: StartInstance) {
  return async (question: CheckQuestion): Promise<CheckAnswer> => {
    const { object, ...asked } = question;
    const now = Date.now();
    const definition: FunctionDefinition = {
      id: createId(now),
      space: "check",
      name: "check",
      partition: 0,
      status: "Building",
      settings: { ...defaultSettings, ...asked, initializerTimeoutMs: CHECK_MS },
      code: { number: 1, object, sha256: "", bytes: 0, createdAt: now },
      createdAt: now,
      updatedAt: now,
    };
    try {
      const instance = await startInstance(definition, { free: () => {}, gone: () => {} });
      instance.kill();
      return { ok: true, warnings: [] };
    } catch (thrown) {
      if (thrown instanceof LoadFailure) return toCheckAnswer(thrown.error);
      throw thrown;
    }
  };
}
