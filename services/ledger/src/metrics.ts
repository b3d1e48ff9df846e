import type { EndState } from "@fnbus/contract";
import type { Metrics } from "@fnbus/telemetry";
import type { CoreView } from "./core/index.ts";
import { sumEnded } from "./out/announcer.ts";

/** Functions with a label of their own; the rest are added up as "other" (I11: labels are bounded). */
const FUNCTIONS_SHOWN = 50;

export interface LedgerMetrics {
  /** The partitions that gauges read; a partition that was built anew replaces itself. */
  watch(partition: number, view: CoreView, brokerNow: () => number): void;
  appended(latencyMs: number, records: number): void;
  attemptLost(): void;
  gaveUp(what: string): void;
  alarm(what: string): void;
}

export function createLedgerMetrics(metrics: Metrics, nameOf: (registryId: string) => string): LedgerMetrics {
  const partitions = new Map<number, { view: CoreView; brokerNow: () => number }>();
  const latency = metrics.histogram("fnbus_ledger_append_ms", "From a decision to its durable record", "ms");
  const records = metrics.counter("fnbus_ledger_records", "Records appended to OUTCOMES");
  const lost = metrics.counter("fnbus_ledger_attempts_lost", "Attempts that ended with their executor");
  const giveUps = metrics.counter("fnbus_ledger_give_ups", "What was given up; each is a record too (I6)");
  const alarms = metrics.counter("fnbus_ledger_alarms", "What a person should hear of");

  const each = function* <T>(read: (view: CoreView, partition: string, brokerNow: () => number) => Iterable<T>) {
    for (const [partition, { view, brokerNow }] of partitions) yield* read(view, String(partition), brokerNow);
  };
  const gauge = (name: string, description: string, read: (view: CoreView) => number) =>
    metrics.gauge(name, description, () =>
      each((view, partition): [number, Record<string, string>][] => [[read(view), { partition }]]),
    );

  gauge("fnbus_ledger_owner", "1 where this process owns the partition", (view) => (view.phase === "owning" ? 1 : 0));
  gauge("fnbus_ledger_accepted", "Invocations accepted", (view) => view.totals().accepted);
  gauge("fnbus_ledger_unfinished", "Invocations without an outcome", (view) => view.totals().unfinished);
  gauge("fnbus_ledger_dropped", "Copies and refused positions", (view) => view.totals().dropped);
  gauge("fnbus_ledger_conservation", "accepted - unfinished - ended: 0 (I8)", (view) => {
    const { accepted, unfinished, ended } = view.totals();
    return accepted - unfinished - sumEnded(ended);
  });
  gauge("fnbus_ledger_kept_keys", "Kept ids, 0..1 of their bound", (view) => view.fill().keys);
  gauge("fnbus_ledger_marks", "Marks of counting sources, 0..1 of their bound", (view) => view.fill().marks);
  gauge("fnbus_ledger_backlog", "Unfinished invocations, 0..1 of their bound", (view) => view.fill().backlog);
  metrics.gauge("fnbus_ledger_ended", "Outcomes by state", () =>
    each((view, partition) =>
      Object.entries(view.totals().ended).map(([state, count]): [number, Record<string, string>] => [
        count,
        { partition, state: state as EndState },
      ]),
    ),
  );
  metrics.gauge("fnbus_ledger_queue", "Waiting and queued invocations of the longest queues", () =>
    each((view, partition) => byFunction(view, (queue) => queue.queued + queue.waiting, sum, nameOf, partition)),
  );
  metrics.gauge("fnbus_ledger_queue_age_ms", "Age of the first in the longest queues", () =>
    each((view, partition, brokerNow) =>
      byFunction(
        view,
        (queue) => (queue.oldestAt === 0 ? 0 : Math.max(0, brokerNow() - queue.oldestAt)),
        Math.max,
        nameOf,
        partition,
      ),
    ),
  );

  return {
    watch: (partition, view, brokerNow) => partitions.set(partition, { view, brokerNow }),
    appended(latencyMs, count) {
      latency.record(latencyMs);
      records.add(count);
    },
    attemptLost: () => lost.add(1),
    gaveUp: (what) => giveUps.add(1, { what }),
    alarm: (what) => alarms.add(1, { what }),
  };
}

const sum = (a: number, b: number): number => a + b;

function* byFunction(
  view: CoreView,
  value: (queue: ReturnType<CoreView["queues"]>[number]) => number,
  join: (a: number, b: number) => number,
  nameOf: (registryId: string) => string,
  partition: string,
): Generator<[number, Record<string, string>]> {
  const queues = view.queues().sort((a, b) => b.queued + b.waiting - (a.queued + a.waiting));
  for (const queue of queues.slice(0, FUNCTIONS_SHOWN))
    yield [value(queue), { partition, function: nameOf(queue.registryId) }];
  const rest = queues.slice(FUNCTIONS_SHOWN);
  if (rest.length > 0) yield [rest.map(value).reduce(join, 0), { partition, function: "other" }];
}
