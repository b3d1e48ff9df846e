/**
 * Keeps one receiver from taking the room of the others: so many requests at once a host, a short wait in place where a turn is
 * near, and otherwise a time at which to come again.
 */
export interface HostGate {
  /**
   * `go`: leave() must follow. `wait`: ask again when another has left, or `waitMs` is over. `later`: come again at that
   * time. `waitedMs`: of one that was told to wait, how long it has.
   */
  enter(
    host: string,
    nowMs: number,
    waitedMs?: number,
  ): { turn: "go" } | { turn: "wait" } | { turn: "later"; atMs: number };
  /** `took`: undefined where nothing was sent. */
  leave(host: string, nowMs: number, took?: { durationMs: number; failed: boolean }): void;
  readonly inFlight: number;
}

export interface HostGateOptions {
  /** Requests at once to one host that answers quickly. */
  perHost: number;
  /** The longest that a callback waits in place for its turn. */
  waitMs: number;
  /** Hosts that are remembered; the idle are forgotten first. */
  maxHosts: number;
}

interface Host {
  inFlight: number;
  /** Requests at once that it has shown to bear. */
  places: number;
  /** Moving average of what a request takes. */
  averageMs: number;
  /** When the oldest in flight began: a host that hangs shows it before its first answer. */
  busySince: number;
  waiting: number;
  nextSlotAt: number;
  failures: number;
}

/** A host of which nothing is known yet. */
const FIRST_GUESS_MS = 50;
const WEIGHT = 0.2;
/** A host begins with so many places, gets one for each quick answer, and loses one for each slow or failed. */
const FIRST_PLACES = 16;
const QUICK_MS = 1_000;
/** From so many failures on end, a host gets an eighth of its places. */
const FAILURES_TO_NARROW = 5;
/** A place in the distant future would outlive the host's recovery. */
const MAX_SLOT_MS = 600_000;
const MIN_SLOT_MS = 50;

export function createHostGate(options: HostGateOptions): HostGate {
  const hosts = new Map<string, Host>();
  let inFlight = 0;

  function hostFor(name: string): Host {
    let host = hosts.get(name);
    if (host) return host;
    if (hosts.size >= options.maxHosts)
      for (const [key, idle] of hosts) if (idle.inFlight === 0 && hosts.delete(key)) break;
    const places = Math.min(FIRST_PLACES, options.perHost);
    host = { inFlight: 0, places, averageMs: FIRST_GUESS_MS, busySince: 0, waiting: 0, nextSlotAt: 0, failures: 0 };
    hosts.set(name, host);
    return host;
  }
  const placesOf = (host: Host): number =>
    host.failures < FAILURES_TO_NARROW ? host.places : Math.max(1, Math.floor(host.places / 8));

  return {
    get inFlight() {
      return inFlight;
    },
    enter(name, nowMs, waitedMs) {
      const host = hostFor(name);
      if (waitedMs !== undefined) host.waiting = Math.max(0, host.waiting - 1);
      const places = placesOf(host);
      if (host.inFlight < places) {
        if (host.inFlight === 0) host.busySince = nowMs;
        host.inFlight++;
        inFlight++;
        return { turn: "go" };
      }
      const tookMs = Math.max(host.averageMs, nowMs - host.busySince);
      const perSlotMs = tookMs / places;
      if ((host.waiting + 1) * perSlotMs < options.waitMs - (waitedMs ?? 0)) {
        host.waiting++;
        return { turn: "wait" };
      }
      const earliest = nowMs + Math.max(perSlotMs, MIN_SLOT_MS);
      host.nextSlotAt = Math.min(Math.max(host.nextSlotAt + perSlotMs, earliest), nowMs + MAX_SLOT_MS);
      return { turn: "later", atMs: Math.ceil(host.nextSlotAt) };
    },
    leave(name, nowMs, took) {
      const host = hostFor(name);
      host.inFlight = Math.max(0, host.inFlight - 1);
      inFlight--;
      if (!took) return;
      host.averageMs += WEIGHT * (took.durationMs - host.averageMs);
      // The others in flight began after the one that left, on the average half its time ago.
      host.busySince = nowMs - took.durationMs / 2;
      host.failures = took.failed ? host.failures + 1 : 0;
      const isQuick = !took.failed && took.durationMs < QUICK_MS;
      host.places = isQuick
        ? Math.min(options.perHost, host.places + 1)
        : Math.max(Math.min(FIRST_PLACES, options.perHost), host.places - 1);
    },
  };
}
