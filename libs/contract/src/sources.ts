import type { ErrorCode } from "./errors.ts";
import type { SourceService } from "./triggers.ts";

/**
 * What the services that run triggers say of them, over core NATS as JSON.
 *
 * announce.sources          SourceAnnouncement          every second, from each replica
 * ask.sources.all           SourcesQuestion "states"     every replica answers with a SourcesAnswer
 * ask.sources.<service>     SourcesQuestion, the others  one replica of that service answers (queue group)
 */
export interface SourceAnnouncement {
  service: SourceService;
  /** Name of the replica, made at its start. */
  instance: string;
  triggers: number;
  failed: number;
}

/** SmartWorks' states, and ours of a paused one. */
export type TriggerState = "Pending" | "Running" | "Failed" | "Paused";

/** One replica's view of one trigger, now. Times are ms since 1970. */
export interface TriggerReport {
  id: string;
  state: TriggerState;
  since: number;
  /** Why it is Failed, or what went wrong last. `at`: when. */
  error?: { code: ErrorCode; message: string; at: number };
  /** Since this replica runs it: events that came, invocations made of them, events given up. */
  received: number;
  published: number;
  givenUp: number;
  lastEventAt?: number;
  /** What its type has to say: subscriptions, partitions and their lag, next tick. */
  details?: Record<string, unknown>;
}

/** One trigger as it is now, over all replicas of the service that runs it: what the management API shows. */
export interface TriggerStatus {
  state: TriggerState;
  /** Since when, on the replica that decides. */
  since?: number;
  /** Why it is Failed, or what went wrong last. */
  error?: { code: ErrorCode; message: string; at?: number };
  received: number;
  published: number;
  givenUp: number;
  lastEventAt?: number;
  replicas: (Omit<TriggerReport, "id"> & { service: SourceService; instance: string })[];
}

/** One invocation that a test would make, or made. The body is base64: it may be any bytes. */
export interface TestedInvocation {
  id: string;
  function: string;
  kind: "http" | "event";
  source: string;
  headers: [string, string][];
  path: string;
  body: string;
  /** The body as text where it is valid UTF-8, for people. */
  text?: string;
}

export type SourcesQuestion =
  | { ask: "states"; ids: string[] }
  /**
   * A sample event of that source, or `event` as the source would send it. `dryRun`: nothing is published. Else it is one
   * more invocation, without name and position; for a schedule that is "run now".
   */
  | { ask: "test"; id: string; dryRun: boolean; event?: unknown };

export type SourcesAnswer =
  | { ok: true; answer: "states"; service: SourceService; instance: string; reports: TriggerReport[] }
  | { ok: true; answer: "tested"; invocations: TestedInvocation[] }
  | { ok: false; code: ErrorCode; message: string; details?: Record<string, unknown> };
