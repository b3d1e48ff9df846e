import type { ErrorCode, SourceService, Trigger, TriggerReport, TriggerState, TriggerStatus } from "@fnbus/contract";
import { errorRow, serviceOfType } from "@fnbus/contract";

/** One replica's report, and whose it is. */
export type ReplicaReport = TriggerReport & { service: SourceService; instance: string };

/** What was heard of triggers: reports by trigger id, and the services that are there. */
export interface States {
  reports: ReadonlyMap<string, ReplicaReport[]>;
  heard: ReadonlySet<SourceService>;
  /** Why nobody could be asked. */
  failure?: ErrorCode;
}

const RANK: readonly TriggerState[] = ["Failed", "Running", "Pending", "Paused"];

/**
 * One state of many reports: Failed where it fails anywhere, else Running where it runs anywhere. A replica that waits
 * for another (one holds the connection) is Pending and hides nothing.
 */
export function toStatus(trigger: Trigger, { reports, heard, failure }: States): TriggerStatus {
  const replicas = (reports.get(trigger.id) ?? []).toSorted((one, other) => (one.instance < other.instance ? -1 : 1));
  const sum = (field: "received" | "published" | "givenUp") => replicas.reduce((all, one) => all + one[field], 0);
  const last = replicas.reduce((latest, { lastEventAt = 0 }) => Math.max(latest, lastEventAt), 0);
  const counts = { received: sum("received"), published: sum("published"), givenUp: sum("givenUp") };
  const shared = {
    ...counts,
    ...(last > 0 && { lastEventAt: last }),
    replicas: replicas.map(({ id: _id, ...report }) => report),
  };
  const newest = replicas
    .flatMap(({ error }) => error ?? [])
    .reduce<TriggerReport["error"]>((a, b) => (a && a.at >= b.at ? a : b), undefined);
  if (!trigger.enabled) return { state: "Paused", ...(newest && { error: newest }), ...shared };
  const silent = failure ?? (replicas.length === 0 && !heard.has(serviceOfType(trigger.type)) ? "source_silent" : null);
  if (silent) return { state: "Pending", error: { code: silent, message: errorRow(silent).title }, ...shared };
  const deciding = replicas.toSorted((one, other) => RANK.indexOf(one.state) - RANK.indexOf(other.state))[0];
  if (!deciding) return { state: "Pending", ...shared };
  // A replica that has not heard of a resumed trigger yet.
  const state = deciding.state === "Paused" ? "Pending" : deciding.state;
  const error = state === "Failed" ? (deciding.error ?? newest) : newest;
  return { state, since: deciding.since, ...(error && { error }), ...shared };
}
