/** What went wrong beside the test: collected while it runs, asserted when it ends. */
export interface Silence {
  /** Throws when anything was rejected or thrown that nobody awaited. Stops listening. */
  assert(): void;
}

/** Listens for unhandled rejections and uncaught exceptions. Start it before, assert it after each test. */
export function assertSilence(): Silence {
  const heard: unknown[] = [];
  const hear = (error: unknown) => {
    heard.push(error);
  };
  process.on("unhandledRejection", hear);
  process.on("uncaughtException", hear);
  return {
    assert() {
      process.off("unhandledRejection", hear);
      process.off("uncaughtException", hear);
      if (heard.length > 0) throw new AggregateError(heard, `${heard.length} errors that nobody handled`);
    },
  };
}
