/** What is known of a receiver's health, from the recorded tries of all replicas. */
export interface Endpoint {
  host: string;
  /** First of the failures on end, ms since 1970. */
  failingSince?: number;
  failures: number;
  pausedAt?: number;
  /** It answered 410 at that time. */
  goneAt?: number;
}

/** The health of receivers that fail: who fails for long is paused until somebody resumes it (L26, I4: shown, never silent). */
export interface Endpoints {
  /** A recorded try. Returns true when this one paused the host. */
  tried(host: string, at: number, result: "delivered" | "failed" | "gone"): boolean;
  /** Returns false where the host was not paused. */
  resume(host: string): boolean;
  isPaused(host: string): boolean;
  paused(): string[];
  all(): Endpoint[];
}

/** So many failures at least: a host called once a week is not dead after two. */
const MIN_FAILURES = 10;

export function createEndpoints(
  options: { pauseAfterMs: number; maxHosts: number },
  known: readonly Endpoint[] = [],
): Endpoints {
  const hosts = new Map<string, Endpoint>(known.map((endpoint) => [endpoint.host, { ...endpoint }]));

  return {
    tried(name, at, result) {
      let host = hosts.get(name);
      if (result === "delivered") {
        if (host?.pausedAt === undefined) hosts.delete(name);
        return false;
      }
      if (!host) {
        if (hosts.size >= options.maxHosts) return false;
        host = { host: name, failures: 0 };
        hosts.set(name, host);
      }
      host.failures++;
      host.failingSince ??= at;
      if (result === "gone") host.goneAt = at;
      const isDead = host.failures >= MIN_FAILURES && at - host.failingSince >= options.pauseAfterMs;
      if (!isDead || host.pausedAt !== undefined) return false;
      host.pausedAt = at;
      return true;
    },
    resume: (name) => hosts.get(name)?.pausedAt !== undefined && hosts.delete(name),
    isPaused: (name) => hosts.get(name)?.pausedAt !== undefined,
    paused: () => [...hosts.values()].filter(({ pausedAt }) => pausedAt !== undefined).map(({ host }) => host),
    all: () => [...hosts.values()],
  };
}
