import { setTimeout as sleep } from "node:timers/promises";
import { restartDelayMs, STEADY_MS } from "../core/back-off.ts";
import { startTied, type TiedProcess } from "./tied-process.ts";

/** One process that is to run as long as the platform does. */
export interface ProcessSpec {
  name: string;
  command: string;
  args: readonly string[];
  env: Record<string, string | undefined>;
  marker: string;
  /** Asked again and again until it is true. */
  isReady(): Promise<boolean>;
  /** How long it may take to finish what is in flight. */
  patienceMs: number;
}

export interface ProcessEvents {
  onLine(name: string, line: string): void;
  /** It ended and is started again after `delayMs`. */
  onRestart(name: string, code: number, delayMs: number): void;
  /** The pid changed; undefined: it is gone. */
  onPid(name: string, pid: number | undefined): void;
}

export interface Supervised {
  readonly name: string;
  /** Resolves when it is ready for the first time. Rejects where it cannot be: with its last lines. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
  kill(): void;
}

const READY_TIMEOUT_MS = 60_000;
/** Seven services that are asked every 40 ms cost a start half a second of CPU. */
const READY_POLL_MS = 100;
const LAST_LINES = 30;
/** A service's exit code where its configuration is wrong: a restart would change nothing. */
const CONFIGURATION_EXIT = 78;
/** Ends in a row before the first readiness that are one too many: the start fails and says why. */
const FAILED_STARTS = 3;

/** Starts the process and starts it again, ever later, whenever it ends before it is stopped. */
export function supervise(spec: ProcessSpec, events: ProcessEvents): Supervised {
  const lastLines: string[] = [];
  const stopping = new AbortController();
  let current: TiedProcess | undefined;
  let wasReady = false;

  const failure = (what: string) =>
    new Error(`${spec.name} ${what}. Its last lines:\n${lastLines.map((line) => `  ${line}`).join("\n")}`);

  const run = async (fail: (error: Error) => void) => {
    for (let failures = 0; !stopping.signal.aborted; ) {
      const startedAt = performance.now();
      current = startTied(spec.command, spec.args, {
        marker: spec.marker,
        env: spec.env,
        onLine: (line) => {
          lastLines.push(line);
          if (lastLines.length > LAST_LINES) lastLines.shift();
          events.onLine(spec.name, line);
        },
      });
      events.onPid(spec.name, current.pid);
      const code = await current.exited;
      events.onPid(spec.name, undefined);
      if (stopping.signal.aborted) return;
      failures = performance.now() - startedAt > STEADY_MS ? 1 : failures + 1;
      if (!wasReady && (code === CONFIGURATION_EXIT || failures === FAILED_STARTS))
        return fail(failure(`cannot start (exit code ${code})`));
      const delayMs = restartDelayMs(failures);
      events.onRestart(spec.name, code, delayMs);
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };

  const becomeReady = async () => {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (!(await spec.isReady().catch(() => false))) {
      if (stopping.signal.aborted) return;
      if (performance.now() > deadline) throw failure(`is not ready after ${READY_TIMEOUT_MS / 1000} s`);
      await sleep(READY_POLL_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
    wasReady = true;
  };

  const failed = Promise.withResolvers<never>();
  const ended = run(failed.reject);
  const ready = Promise.race([becomeReady(), failed.promise]);
  // Whoever stops the platform before it was ready does not wait for this.
  ready.catch(() => {});
  return {
    name: spec.name,
    ready,
    async stop() {
      stopping.abort();
      await current?.stop(spec.patienceMs);
      await ended;
    },
    kill() {
      stopping.abort();
      current?.kill();
    },
  };
}
