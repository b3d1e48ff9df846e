import type { Logger } from "@fnbus/telemetry";

/** Something that happens again and again until it is stopped. */
export interface Repeated {
  /** Does it now, or again after the one that is at work. */
  now(): void;
  /** Resolves when the one at work is done. */
  stop(): Promise<void>;
}

/** Does `work` every `everyMs`, never twice at once. What it throws is logged, and it is done again in time. */
export function every(everyMs: number, logger: Logger, what: string, work: () => Promise<void> | void): Repeated {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  async function run(): Promise<void> {
    try {
      await work();
    } catch (error) {
      again = false;
      if (!stopped) logger.warn({ err: error }, `${what}: will be done again`);
    }
    running = undefined;
    if (stopped) return;
    if (again) now();
    else timer = setTimeout(now, everyMs);
  }
  function now(): void {
    if (stopped) return;
    again = running !== undefined;
    if (running) return;
    clearTimeout(timer);
    running = run();
  }
  timer = setTimeout(now, everyMs);
  return {
    now,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
