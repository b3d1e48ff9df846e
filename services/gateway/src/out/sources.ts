import { type Bus, isBusError } from "@fnbus/bus";
import {
  FnbusError,
  type SourceAnnouncement,
  type SourceService,
  type SourcesAnswer,
  type SourcesQuestion,
  serviceOfType,
  subjects,
  type TestedInvocation,
  type Trigger,
} from "@fnbus/contract";
import { readMessage } from "@fnbus/publisher";
import type { Logger } from "@fnbus/telemetry";
import type { ReplicaReport, States } from "../core/trigger-status.ts";

/** The services that run triggers, as they announce themselves and answer. */
export interface Sources {
  /** What every replica says of these triggers now. Never fails: who is silent is missing in it. */
  states(triggers: readonly Trigger[]): Promise<States>;
  /**
   * What an event (a sample where none is given) would make of this trigger, or made of it.
   * Throws `source_silent`, and what the service refuses with.
   */
  test(trigger: Trigger, dryRun: boolean, event: unknown): Promise<TestedInvocation[]>;
  stop(): void;
}

/** A replica that was silent for so long is not waited for, ms. */
const FRESH_MS = 5_000;
/** After this every replica there is has announced itself, ms. */
const YOUNG_MS = 2_000;
/** Time for all replicas to answer, ms. */
const STATES_MS = 1_000;
/** Publishing waits for the log's acknowledgement and the ledger's verdict. */
const TEST_MS = 15_000;
/** A trigger that was made this moment is known to its service within this time, ms. */
const KNOWN_MS = 1_500;
const AGAIN_MS = 100;

export function createSources(bus: Bus, logger: Logger): Sources {
  const startedAt = performance.now();
  const replicas = new Map<string, { service: SourceService; at: number }>();
  const subscription = bus.subscribe(subjects.announceSources, ({ data }) => {
    const said = readMessage<SourceAnnouncement>(data, logger);
    if (typeof said?.instance !== "string") return;
    const now = performance.now();
    for (const [instance, { at }] of replicas) if (now - at > FRESH_MS) replicas.delete(instance);
    replicas.set(said.instance, { service: said.service, at: now });
  });
  const heardOf = (services: ReadonlySet<SourceService>) =>
    [...replicas].filter(([, { service, at }]) => services.has(service) && performance.now() - at <= FRESH_MS);

  async function ask(question: SourcesQuestion, services: ReadonlySet<SourceService>): Promise<States> {
    const reports = new Map<string, ReplicaReport[]>();
    const heard = new Set<SourceService>();
    const expected = new Map(heardOf(services).map(([instance, { service }]) => [instance, service]));
    for (const service of expected.values()) heard.add(service);
    const isYoung = performance.now() - startedAt < YOUNG_MS;
    if (expected.size === 0 && !isYoung) return { reports, heard };
    const done = Promise.withResolvers<void>();
    const timer = setTimeout(done.resolve, STATES_MS);
    const inbox = bus.createInbox(({ data }) => {
      const answer = readMessage<SourcesAnswer>(data, logger);
      if (!answer?.ok || answer.answer !== "states") return;
      const { service, instance } = answer;
      heard.add(service);
      for (const report of answer.reports)
        reports.set(report.id, [...(reports.get(report.id) ?? []), { ...report, service, instance }]);
      expected.delete(instance);
      if (expected.size === 0 && !isYoung) done.resolve();
    });
    try {
      bus.publish(subjects.askAllSources, Buffer.from(JSON.stringify(question)), { reply: inbox.subject });
      await done.promise;
    } catch {
      return { reports, heard, failure: "broker_unavailable" };
    } finally {
      clearTimeout(timer);
      inbox.close();
    }
    return { reports, heard };
  }

  async function testOnce(trigger: Trigger, dryRun: boolean, event: unknown): Promise<TestedInvocation[]> {
    const question: SourcesQuestion = { ask: "test", id: trigger.id, dryRun, ...(event !== undefined && { event }) };
    const subject = subjects.askSources(serviceOfType(trigger.type));
    const { data } = await bus
      .request(subject, Buffer.from(JSON.stringify(question)), { timeoutMs: TEST_MS })
      .catch((error: unknown) => {
        if (isBusError(error, "disconnected")) throw error;
        const message = isBusError(error, "timeout") ? "the service that runs it did not answer in time" : undefined;
        throw new FnbusError("source_silent", message, { cause: error });
      });
    const answer = JSON.parse(Buffer.from(data).toString("utf8")) as SourcesAnswer;
    if (!answer.ok) throw new FnbusError(answer.code, answer.message, answer.details && { details: answer.details });
    return answer.answer === "tested" ? answer.invocations : [];
  }

  return {
    async states(triggers) {
      if (triggers.length === 0) return { reports: new Map(), heard: new Set() };
      const services = new Set(triggers.map(({ type }) => serviceOfType(type)));
      return ask({ ask: "states", ids: triggers.map(({ id }) => id) }, services);
    },
    async test(trigger, dryRun, event) {
      const until = performance.now() + KNOWN_MS;
      for (;;) {
        try {
          return await testOnce(trigger, dryRun, event);
        } catch (error) {
          const isNew = error instanceof FnbusError && error.code === "trigger_not_found" && performance.now() < until;
          if (!isNew) throw error;
          await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        }
      }
    },
    stop: () => subscription.unsubscribe(),
  };
}
