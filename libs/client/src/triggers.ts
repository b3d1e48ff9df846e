import type { TestedInvocation, Trigger, TriggerSettings, TriggerStatus, TriggerType } from "@fnbus/contract";
import type { Page } from "./management.ts";

/** A trigger without its secrets; `secrets` names those that are set. `status` where it was asked for. */
export type TriggerView = Omit<Trigger, "config" | "dialect" | "type"> & {
  type: TriggerType;
  config: Record<string, unknown>;
  secrets: string[];
  revision: number;
  status?: TriggerStatus;
};

/** null takes away what is optional. The config is merged: null takes a field away. */
export type TriggerPatch = Partial<Pick<TriggerSettings, "description" | "enabled" | "config">> & {
  function?: TriggerSettings["function"] | null;
  callbackUrl?: string | null;
};

export interface ListTriggers {
  type?: TriggerType;
  function?: string;
  limit?: number;
  cursor?: string;
}

export interface TriggerRuns {
  function: string;
  schedule: string;
  timezone: string;
  /** RFC 3339, UTC. */
  runs: string[];
}

type Send = <T>(method: string, path: string, body?: unknown, query?: object) => Promise<T>;

/** Triggers, below /v1. Every call throws ClientError. */
export function createTriggerCalls(json: Send) {
  const at = encodeURIComponent;
  const path = (space: string, name = "", action = "") =>
    `/spaces/${at(space)}/triggers${name && `/${at(name)}`}${action && `/${action}`}`;
  return {
    list: (space: string, filter: ListTriggers = {}) =>
      json<Page<TriggerView>>("GET", path(space), undefined, { ...filter }),
    get: (space: string, name: string) => json<TriggerView>("GET", path(space, name)),
    create: (space: string, settings: TriggerSettings) => json<TriggerView>("POST", path(space), settings),
    patch: (space: string, name: string, change: TriggerPatch) => json<TriggerView>("PATCH", path(space, name), change),
    delete: (space: string, name: string) => json<void>("DELETE", path(space, name)),
    pause: (space: string, name: string) => json<TriggerView>("POST", path(space, name, "pause")),
    resume: (space: string, name: string) => json<TriggerView>("POST", path(space, name, "resume")),
    /** Invokes as for one event (a sample where none is given), or with `dryRun` shows what would be invoked. */
    test: async (space: string, name: string, options: { dryRun?: boolean; event?: unknown } = {}) =>
      (await json<{ invocations: TestedInvocation[] }>("POST", path(space, name, "test"), options)).invocations,
    /** Begins anew, as if it had never run. `from` is for kafka. */
    replay: (space: string, name: string, from?: "latest" | "earliest") =>
      json<TriggerView>("POST", path(space, name, "replay"), from === undefined ? {} : { from }),
    /** The next runs of its schedules. */
    runs: async (space: string, name: string, count?: number) =>
      (await json<Page<TriggerRuns>>("GET", path(space, name, "runs"), undefined, { count })).data,
  };
}
