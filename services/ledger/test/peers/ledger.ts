import { connectBus } from "@fnbus/bus";
import { readConfig } from "@fnbus/config";
import {
  type Answer,
  decodeAnswer,
  encodeQuestion,
  type InvocationView,
  type Question,
  subjects,
} from "@fnbus/contract";
import type { RunningService } from "@fnbus/service";
import { createLogger, createMetrics, createTracing, type Metrics } from "@fnbus/telemetry";
import { startLedger } from "../../src/app.ts";
import { LedgerConfig } from "../../src/config.ts";
import type { Platform } from "./platform.ts";

export interface TestLedger extends RunningService {
  metrics: Metrics;
}

/** A ledger in this process, with a connection of its own. */
export async function startTestLedger(platform: Platform, variables: Record<string, string> = {}): Promise<TestLedger> {
  const bus = await connectBus({ servers: platform.url, name: "ledger", connectTimeoutMs: 10_000 });
  const metrics = createMetrics("ledger");
  const service = await startLedger({
    name: "ledger",
    config: readConfig(LedgerConfig, { NATS_URL: platform.url, ...variables }),
    bus,
    logger: createLogger("ledger", "fatal"),
    metrics,
    tracing: await createTracing("ledger"),
  });
  return {
    ...service,
    metrics,
    async stop() {
      await service.stop();
      await bus.drain();
      await metrics.stop();
    },
  };
}

/** Asks the owner, again while there is none. */
export async function ask(platform: Platform, question: Question): Promise<{ answer: Answer; body: Uint8Array }> {
  for (let tried = 0; ; tried++) {
    try {
      const timeoutMs = question.ask === "wait" ? question.timeoutMs + 5000 : 10_000;
      const answered = await platform.bus.request(subjects.ask(0), encodeQuestion(question), { timeoutMs });
      return decodeAnswer(answered.data);
    } catch (error) {
      if (tried === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** The invocation when it has ended, or as it is when the time is over. */
export async function waitForEnd(platform: Platform, id: string, timeoutMs = 20_000): Promise<InvocationView> {
  const { answer } = await ask(platform, { ask: "wait", space: "test", id, timeoutMs });
  if (!answer.ok || answer.answer !== "invocation") throw new Error(`no invocation: ${JSON.stringify(answer)}`);
  return answer.invocation;
}
