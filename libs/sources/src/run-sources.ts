import { randomUUID } from "node:crypto";
import type { Bus, BusMessage } from "@fnbus/bus";
import {
  createId,
  FnbusError,
  SOURCE_QUEUE,
  type SourceAnnouncement,
  type SourceService,
  type SourcesAnswer,
  type SourcesQuestion,
  subjects,
} from "@fnbus/contract";
import { type Publisher, readMessage } from "@fnbus/publisher";
import type { Triggers } from "@fnbus/registry";
import type { Logger, Metrics } from "@fnbus/telemetry";
import { createSlots, type Slots, type SourceKinds } from "./slots.ts";
import { toTested } from "./tested.ts";

export interface SourcesContext {
  service: SourceService;
  bus: Bus;
  triggers: Triggers;
  publisher: Publisher;
  logger: Logger;
  metrics: Metrics;
  /** How each type that this service runs is run. */
  kinds: SourceKinds;
}

export interface RunningSources {
  /** Name of this replica, made at its start. */
  instance: string;
  stop(): Promise<void>;
  /** For /health. */
  facts(): Record<string, unknown>;
}

const ANNOUNCE_MS = 1_000;
/** Ids of one question at most, so that its answer fits a message. */
const MAX_IDS = 500;

/**
 * Runs every trigger of the service's types: opens, changes and stops its source as the registry says, answers what the
 * gateway asks of it, and announces this replica.
 */
export function runSources(context: SourcesContext): RunningSources {
  const { service, bus, triggers, publisher, logger, metrics, kinds } = context;
  const instance = `${service}-${randomUUID().slice(0, 8)}`;
  const slots = createSlots(triggers, kinds, logger);

  /** One more invocation of a sample, or of an event as it would come: it has no name and no position of its own. */
  async function test({ id, event, dryRun }: Extract<SourcesQuestion, { ask: "test" }>): Promise<SourcesAnswer> {
    const trigger = triggers.triggerById(id)?.trigger;
    const kind = trigger && kinds[trigger.type];
    if (!trigger || !kind) throw new FnbusError("trigger_not_found");
    const calls = kind.sample(trigger, event).map(({ name: _, position: __, overlap: ___, ...call }) => call);
    const ids = await Promise.all(calls.map(async (call) => (dryRun ? createId() : (await publisher.send(call)).id)));
    return { ok: true, answer: "tested", invocations: calls.map((call, index) => toTested(call, ids[index]!)) };
  }
  const answer = async (question: SourcesQuestion): Promise<SourcesAnswer> => {
    if (question.ask === "test") return test(question);
    const reports = question.ids.slice(0, MAX_IDS).flatMap((id) => slots.report(id) ?? []);
    return { ok: true, answer: "states", service, instance, reports };
  };
  const onQuestion = async (message: BusMessage) => {
    const question = readMessage<SourcesQuestion>(message.data, logger);
    if (!question) return;
    const said = await answer(question).catch((error: unknown): SourcesAnswer => {
      if (!(error instanceof FnbusError)) logger.error({ err: error }, "a question was not answered");
      const known = error instanceof FnbusError ? error : new FnbusError("internal");
      return { ok: false, code: known.code, message: known.message, ...(known.details && { details: known.details }) };
    });
    message.respond(Buffer.from(JSON.stringify(said)));
  };
  const subscriptions = [
    bus.subscribe(subjects.askAllSources, (message) => void onQuestion(message)),
    bus.subscribe(subjects.askSources(service), (message) => void onQuestion(message), { queue: SOURCE_QUEUE }),
  ];

  const announce = () => {
    if (!bus.isConnected()) return;
    let failed = 0;
    for (const { state } of slots.statuses()) if (state === "Failed") failed++;
    const said: SourceAnnouncement = { service, instance, triggers: slots.size, failed };
    bus.publish(subjects.announceSources, Buffer.from(JSON.stringify(said)));
  };
  announce();
  const timer = setInterval(announce, ANNOUNCE_MS);

  metrics.gauge("fnbus_source_triggers", "triggers that this replica runs, by type and state", () =>
    sum(slots, ({ type, state }) => [[1, { type, state }]]),
  );
  metrics.gauge("fnbus_source_events", "events of the triggers that run now, by type and what became of them", () =>
    sum(slots, ({ type, received, published, givenUp }) => [
      [received, { type, what: "received" }],
      [published, { type, what: "published" }],
      [givenUp, { type, what: "given-up" }],
    ]),
  );

  return {
    instance,
    async stop() {
      clearInterval(timer);
      for (const subscription of subscriptions) subscription.unsubscribe();
      await slots.stop();
    },
    facts: () => ({ instance, triggers: slots.size }),
  };
}

type Figure = [value: number, labels: Record<string, string>];
type Status = ReturnType<Slots["statuses"]> extends Iterable<infer S> ? S : never;

/** Sums of what each trigger adds, by labels. */
function sum(slots: Slots, toFigures: (status: Status) => Figure[]): Figure[] {
  const sums = new Map<string, Figure>();
  for (const status of slots.statuses()) {
    for (const [value, labels] of toFigures(status)) {
      const key = Object.values(labels).join(" ");
      sums.set(key, [(sums.get(key)?.[0] ?? 0) + value, labels]);
    }
  }
  return [...sums.values()];
}
