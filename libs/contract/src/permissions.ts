import { buckets, streams, subjects } from "./subjects.ts";

/** What one user of the broker may publish to and subscribe to; nothing else. */
export interface SubjectPermissions {
  publish: string[];
  subscribe: string[];
}

/** The broker's users: one a service, and the one that makes streams and buckets before any of them starts. */
export const busUsers = [
  "gateway",
  "ledger",
  "executor",
  "callback-dispatcher",
  "scheduler",
  "mqtt-bridge",
  "event-ingest",
  "provision",
] as const;
export type BusUser = (typeof busUsers)[number];

/** Names that a user connects with: each is the prefix of its inboxes, and nobody else reads those. */
const connections: Readonly<Record<BusUser, readonly string[]>> = {
  gateway: ["gateway"],
  ledger: ["ledger", "ledger-projection", "ledger-rebuild"],
  executor: ["executor"],
  "callback-dispatcher": ["callback-dispatcher"],
  scheduler: ["scheduler"],
  "mqtt-bridge": ["mqtt-bridge"],
  "event-ingest": ["event-ingest"],
  provision: ["provision"],
};

const inbox = (connection: string): string => `_INBOX_${connection}.>`;

const info = (stream: string): string => `$JS.API.STREAM.INFO.${stream}`;
const purge = (stream: string): string => `$JS.API.STREAM.PURGE.${stream}`;
/** One message by its number or subject. */
const readOne = (stream: string): string[] => [
  `$JS.API.STREAM.MSG.GET.${stream}`,
  `$JS.API.DIRECT.GET.${stream}`,
  `$JS.API.DIRECT.GET.${stream}.>`,
];
/** In order, by a consumer of one's own. */
const follow = (stream: string): string[] => [
  `$JS.API.CONSUMER.CREATE.${stream}`,
  `$JS.API.CONSUMER.CREATE.${stream}.>`,
  `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
  `$JS.API.CONSUMER.DELETE.${stream}.*`,
];
const readStream = (stream: string): string[] => [info(stream), ...readOne(stream), ...follow(stream)];
const readKeys = (bucket: string): string[] => readStream(`KV_${bucket}`);
/** `$JS.FC` answers the broker, which asks a reader of a large object how far it is. */
const readObjects = (bucket: string): string[] => [...readStream(`OBJ_${bucket}`), `$JS.FC.OBJ_${bucket}.>`];
/** An object that is removed, or was written in part, is purged. */
const writeObjects = (bucket: string): string[] => [...readObjects(bucket), `$O.${bucket}.>`, purge(`OBJ_${bucket}`)];

/**
 * Who may do what on the broker, for a platform of so many partitions. A service that is broken into can do no more:
 * it decides no outcome, takes no partition over, trims nothing, reads no key and none of the others' answers.
 * Answers are published to the inboxes of whoever asks, so these are named: there is no right to all inboxes.
 */
export function busPermissions(partitions: number): Readonly<Record<BusUser, SubjectPermissions>> {
  const each = (name: (partition: number) => string | string[]): string[] =>
    Array.from({ length: partitions }, (_, partition) => name(partition)).flat();
  const allow = (user: BusUser, publish: string[], subscribe: string[]): SubjectPermissions => ({
    // The client library asks for it before it opens any bucket of objects.
    publish: ["$JS.API.INFO", ...publish],
    subscribe: [...connections[user].map(inbox), ...subscribe],
  });
  const sources = ["scheduler", "mqtt-bridge", "event-ingest"] as const;
  /** A service that runs triggers: publishes what it accepts, and reads what exists and what it is to do. */
  const source = (user: (typeof sources)[number], more: string[]) =>
    allow(
      user,
      [
        ...each((partition) => [subjects.ask(partition), subjects.invocations(partition), subjects.records(partition)]),
        ...[...readKeys(buckets.registry), ...readKeys(buckets.triggers), ...writeObjects(buckets.bodies), ...more],
        ...[subjects.announceSources, ...connections.gateway.map(inbox)],
      ],
      [subjects.announceLedgers, subjects.askAllSources, subjects.askSources(user)],
    );
  const allStreams = [
    ...each((partition) => [streams.invocations(partition), streams.outcomes(partition)]),
    ...each((partition) => [streams.parked(partition), streams.records(partition)]),
    streams.logs,
    ...[buckets.registry, buckets.access, buckets.triggers, buckets.leases].map((bucket) => `KV_${bucket}`),
    ...[buckets.code, buckets.bodies, buckets.checkpoints, buckets.callbacks].map((bucket) => `OBJ_${bucket}`),
  ];
  return {
    gateway: allow(
      "gateway",
      [
        ...[subjects.calls("*"), subjects.callAt("*"), subjects.check("*"), subjects.askCallbacks],
        ...each((partition) => [subjects.ask(partition), subjects.invocations(partition), subjects.records(partition)]),
        ...readStream(streams.logs),
        ...[...readKeys(buckets.registry), `$KV.${buckets.registry}.>`],
        // Expired tokens are forgotten without a marker.
        ...[...readKeys(buckets.access), `$KV.${buckets.access}.>`, purge(`KV_${buckets.access}`)],
        ...[...readKeys(buckets.triggers), `$KV.${buckets.triggers}.>`],
        ...[subjects.askAllSources, subjects.askSources("*")],
        ...[...writeObjects(buckets.code), ...writeObjects(buckets.bodies)],
      ],
      [subjects.announceLedgers, subjects.announceExecutors, subjects.announceSources, subjects.logsOf],
    ),
    ledger: allow(
      "ledger",
      [
        ...[subjects.work("*"), subjects.holds("*")],
        ...each((partition) => [subjects.outcomes(partition), subjects.parked(partition), subjects.records(partition)]),
        ...each(subjects.announceLedger),
        ...each((partition) =>
          [streams.invocations, streams.outcomes, streams.parked, streams.records].flatMap((name) => [
            ...readStream(name(partition)),
            purge(name(partition)),
          ]),
        ),
        ...readKeys(buckets.registry),
        ...[...readKeys(buckets.leases), `$KV.${buckets.leases}.ledger.*`],
        ...[...writeObjects(buckets.checkpoints), ...writeObjects(buckets.bodies)],
        // Verdicts, and answers to questions.
        ...[...connections.gateway, ...sources].map(inbox),
      ],
      [
        ...[subjects.announceExecutors, ...each(subjects.announceCallbacks)],
        ...each((partition) => [subjects.results(partition), subjects.ask(partition)]),
      ],
    ),
    executor: allow(
      "executor",
      [
        ...[subjects.announceExecutors, subjects.logsOf, ...each(subjects.results)],
        ...[...readKeys(buckets.registry), ...readKeys(buckets.leases)],
        ...[...readObjects(buckets.code), ...writeObjects(buckets.bodies)],
        // Answers to calls and checks, and of what is held.
        ...[...connections.gateway.map(inbox), inbox("ledger")],
      ],
      [
        ...[subjects.calls("*"), subjects.callAt("*"), subjects.check("*")],
        ...[subjects.work("*"), subjects.holds("*"), subjects.announceExecutors],
      ],
    ),
    "callback-dispatcher": allow(
      "callback-dispatcher",
      [
        ...each((partition) => [subjects.records(partition), subjects.announceCallbacks(partition)]),
        ...each((partition) => [...readStream(streams.outcomes(partition)), ...readStream(streams.records(partition))]),
        ...[...readKeys(buckets.leases), `$KV.${buckets.leases}.callbacks`],
        ...[...writeObjects(buckets.callbacks), ...readObjects(buckets.bodies)],
        ...connections.gateway.map(inbox),
      ],
      [subjects.askCallbacks, ...each(subjects.announceCallbacks)],
    ),
    scheduler: source("scheduler", []),
    // Whose sessions are whose at the brokers.
    "mqtt-bridge": source("mqtt-bridge", [...readKeys(buckets.leases), `$KV.${buckets.leases}.mqtt.>`]),
    // Its senders are known by their keys.
    "event-ingest": source("event-ingest", readKeys(buckets.access)),
    provision: allow(
      "provision",
      [
        ...allStreams.flatMap((name) => [info(name), `$JS.API.STREAM.CREATE.${name}`, `$JS.API.STREAM.UPDATE.${name}`]),
        ...[...readKeys(buckets.registry), `$KV.${buckets.registry}.>`],
        ...[...readKeys(buckets.access), `$KV.${buckets.access}.>`],
        // At the start nobody holds anything: leases of the dead are freed.
        ...[...readKeys(buckets.leases), `$KV.${buckets.leases}.>`],
      ],
      [],
    ),
  };
}
