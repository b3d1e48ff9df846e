import type { Bus, BusMessage } from "@fnbus/bus";
import {
  SOURCE_QUEUE,
  type SourceAnnouncement,
  type SourceService,
  type SourcesAnswer,
  type SourcesQuestion,
  subjects,
  type TriggerReport,
} from "@fnbus/contract";

export interface ScriptedSource {
  asked: SourcesQuestion[];
  /** What it says of a trigger; undefined: nothing, it has not heard of it. */
  report: (id: string) => Partial<TriggerReport> | undefined;
  /** What it answers to a test. */
  tested: SourcesAnswer;
  /** It announces itself and answers nothing. */
  isDeaf: boolean;
  stop(): void;
}

/** A replica of a service that runs triggers (these, or all), which says what the test wants. */
export function startSource(bus: Bus, service: SourceService, instance: string, ids?: string[]): ScriptedSource {
  const onQuestion = (message: BusMessage) => {
    const question = JSON.parse(Buffer.from(message.data).toString()) as SourcesQuestion;
    source.asked.push(question);
    if (source.isDeaf) return;
    const toReport = (id: string): TriggerReport[] => {
      const said = (ids ?? [id]).includes(id) ? source.report(id) : undefined;
      return said ? [{ id, state: "Running", since: 1, received: 0, published: 0, givenUp: 0, ...said }] : [];
    };
    const states = (ids: string[]): SourcesAnswer => ({
      ...{ ok: true, answer: "states", service, instance },
      reports: ids.flatMap(toReport),
    });
    const answer = question.ask === "states" ? states(question.ids) : source.tested;
    message.respond(Buffer.from(JSON.stringify(answer)));
  };
  const subscriptions = [
    bus.subscribe(subjects.askAllSources, onQuestion),
    bus.subscribe(subjects.askSources(service), onQuestion, { queue: SOURCE_QUEUE }),
  ];
  const announce = () => {
    if (!bus.isConnected()) return;
    const said: SourceAnnouncement = { service, instance, triggers: 0, failed: 0 };
    bus.publish(subjects.announceSources, Buffer.from(JSON.stringify(said)));
  };
  announce();
  const timer = setInterval(announce, 200);
  const source: ScriptedSource = {
    asked: [],
    report: () => ({}),
    tested: { ok: true, answer: "tested", invocations: [] },
    isDeaf: false,
    stop() {
      clearInterval(timer);
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
  return source;
}
