import type { Dispatcher } from "undici";

/** The status is the answer. */
export type Answer = Pick<Dispatcher.ResponseData, "statusCode" | "headers">;

/** The body is read only so that the connection can be used again, and no longer than this. */
const DRAIN_MS = 1_000;

/**
 * One request to the end of its answer, by `dispatch`: nobody reads the body, so no stream is made of it. Resolves with the status
 * however its body ends (too long, too slow, cut off), within `timeoutMs`; rejects where there is none by then.
 */
export function send(agent: Dispatcher, options: Dispatcher.DispatchOptions, timeoutMs: number): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const began = performance.now();
  let sent: Dispatcher.DispatchController | undefined;
  let answer: Answer | undefined;
  let late: Error | undefined;
  let timer = setTimeout(stop, timeoutMs);

  function end(error?: Error): void {
    clearTimeout(timer);
    if (answer) resolve(answer);
    else reject(error ?? new Error("no answer"));
  }
  function stop(): void {
    late = new Error("no answer in time");
    end(late);
    sent?.abort(late);
  }
  agent.dispatch(options, {
    onRequestStart(controller) {
      sent = controller;
      // It waited for a connection for all of its time.
      if (late) controller.abort(late);
    },
    onResponseStart(_controller, statusCode, headers) {
      if (statusCode < 200) return;
      answer = { statusCode, headers };
      clearTimeout(timer);
      timer = setTimeout(stop, Math.min(DRAIN_MS, timeoutMs - (performance.now() - began)));
    },
    onResponseData() {},
    onResponseEnd: () => end(),
    onResponseError: (_controller, error) => end(error),
  });
  return promise;
}
