import { type FunctionDefinition, limits, type RunResult } from "@fnbus/contract";
import { readAnswer } from "../core/answer.ts";
import { type RunError, readFailure, toExitError } from "../core/failures.ts";
import { frameTypes, type RunnerFrame } from "../core/frames.ts";
import type { RunEnd, RunRequest } from "../core/runs.ts";
import type { Booted } from "./boot.ts";
import type { InstanceOutput } from "./instance-output.ts";

/** One call that user code works on. */
export interface OpenCall {
  /** Names it to the runner. */
  number: number;
  request: RunRequest;
  onEnd: (end: RunEnd) => void;
  startedAt: number;
  startedWallMs: number;
  /** Earliest of the function's timeout and the request's end, monotonic ms. */
  endsAt: number;
  cold: boolean;
}

/** A stop message's head start before the kill. */
const STOP_MS = 100;
const MEMORY_EVERY_MS = 1_000;
const LOST = "the instance ended because another call of it was stopped";
const overTime: RunError = { code: "function_timeout", message: "the function ran over its time" };
const EMPTY: Uint8Array = new Uint8Array(0);
const JSON_HEADERS: RunResult["headers"] = [["content-type", "application/json"]];

/**
 * A process that runs one function. `on.free` is called when a call has ended and it lives on; `on.gone` once, when it takes
 * no more calls. Bodies of answers are views of what was read.
 */
export function createInstance(
  booted: Booted,
  definition: FunctionDefinition,
  executor: string,
  output: InstanceOutput,
  on: { free(): void; gone(): void },
) {
  const { runner } = booted;
  /** Few (`concurrency.perInstance` bounds them), so a search is cheaper than a Map, which leaves garbage behind each call. */
  let open: OpenCall[] = [];
  const timeoutMs = definition.settings.timeoutMs;
  let memory: { memoryUsedMb?: number } = {};
  let memoryReadAgainAt = 0;
  let lastCall = 0;
  let closed: RunError | undefined;
  /** It takes no more calls. */
  let gone = false;
  /** A call was told to stop: how the process ends says nothing about the others any more. */
  let stopped = false;

  /** At most once a second: reading it costs more than a small call. */
  function readMemory(now: number): { memoryUsedMb?: number } {
    if (now < memoryReadAgainAt) return memory;
    memoryReadAgainAt = now + MEMORY_EVERY_MS;
    const memoryUsedMb = booted.group?.usedMb();
    if (memoryUsedMb !== undefined) memory = { memoryUsedMb };
    return memory;
  }

  function end(
    call: OpenCall,
    answer: Pick<RunResult, "statusCode" | "headers"> & { error?: RunError },
    body: Uint8Array,
  ) {
    const now = performance.now();
    const result: RunResult = {
      ...answer,
      startedAt: call.startedWallMs,
      durationMs: Math.round((now - call.startedAt) * 1000) / 1000,
      cold: call.cold,
      ...readMemory(now),
      executor,
    };
    call.onEnd({ kind: "ran", result, body });
  }
  const fail = (call: OpenCall, error: RunError, body = EMPTY) =>
    end(call, { statusCode: 0, headers: body.length > 0 ? JSON_HEADERS : [], error }, body);

  function takeOut(call: OpenCall): void {
    const index = open.indexOf(call);
    if (index < 0) return;
    open[index] = open.at(-1)!;
    open.pop();
  }

  /** No call more, and the process is killed. Calls that are open fail with it; where we stopped another, none is at fault. */
  function close(error: RunError): void {
    if (closed) return;
    closed = error;
    leave();
    const calls = open;
    open = [];
    for (const call of calls)
      if (stopped) call.onEnd({ kind: "not-run", code: "instance_lost", message: LOST });
      else fail(call, error);
    booted.kill();
  }
  function leave(): void {
    if (gone) return;
    gone = true;
    on.gone();
  }
  /** Tells the function that a call is over; it may clean up, or end the process. */
  function stop(call: number): void {
    stopped = true;
    leave();
    runner.send(frameTypes.stop, call, "{}");
  }
  /** One that takes no more calls ends with its last one. */
  function free(): void {
    if (!gone) on.free();
    else if (open.length === 0) booted.kill();
  }

  function hear(frame: RunnerFrame): void {
    const call = open.find(({ number }) => number === frame.call);
    if (frame.type === frameTypes.fatal && frame.call === 0) {
      const error = readFailure(frame.json);
      output.platform(`${error.type ?? "Error"}: ${error.message} (outside any call)`);
      close(error);
    } else if (call && frame.type === frameTypes.result) {
      takeOut(call);
      const answer = readAnswer(frame.json, frame.body.length);
      if ("error" in answer) fail(call, answer.error);
      else end(call, answer, frame.body);
      free();
    } else if (call && frame.type === frameTypes.failed) {
      takeOut(call);
      const tooLarge = frame.body.length > limits.inlineBodyBytes;
      fail(call, readFailure(frame.json), tooLarge ? EMPTY : frame.body);
      free();
    } else if (!gone) {
      close({ code: "function_protocol", message: `frame of type ${frame.type} for call ${frame.call}` });
    }
  }

  void booted.ended.then((exit) => close(toExitError(exit, exit.outOfMemory, output.tail())));

  return {
    name: booted.name,
    definition,
    /** When it became free last, monotonic ms. */
    idleSince: performance.now(),
    used: false,
    get openCalls(): number {
      return open.length;
    },
    get isGone(): boolean {
      return gone;
    },
    /** Called once, when the code is loaded. */
    serve(): void {
      runner.listen(hear, (message) => close({ code: "function_protocol", message }));
    },
    run(request: RunRequest, onEnd: (end: RunEnd) => void): OpenCall {
      const startedAt = performance.now();
      const call: OpenCall = {
        number: ++lastCall,
        request,
        onEnd,
        startedAt,
        startedWallMs: Date.now(),
        endsAt: Math.min(startedAt + timeoutMs, request.endsAt),
        cold: !this.used,
      };
      this.used = true;
      open.push(call);
      output.begin(call.number, request.meta.id);
      runner.send(frameTypes.call, call.number, request.metaJson, request.body);
      return call;
    },
    /**
     * Ends what is over its time at `now`. Over the function's timeout, the process ends too: user code cannot outlive it
     * (I10), and its other calls are lost with it. A caller that gives up early takes nothing from the other calls.
     */
    enforceDeadlines(now: number): void {
      for (const call of open.filter(({ endsAt }) => endsAt <= now)) {
        takeOut(call);
        const byFunction = call.startedAt + timeoutMs <= call.request.endsAt;
        if (byFunction)
          fail(call, { code: "function_timeout", message: `the function ran longer than ${timeoutMs} ms` });
        else
          call.onEnd({
            kind: "not-run",
            code: call.request.whenOver,
            message: "the call's time was over while it ran",
          });
        stop(call.number);
        if (byFunction || open.length === 0) setTimeout(close, STOP_MS, overTime);
      }
    },
    /** Stops one call. The process goes at once where it runs nothing else, else after its other calls. */
    cancel(call: OpenCall): void {
      if (!open.includes(call)) return;
      takeOut(call);
      call.onEnd({ kind: "not-run", code: "cancelled", message: "cancelled while it ran" });
      if (open.length > 0) stop(call.number);
      else {
        leave();
        booted.kill();
      }
    },
    kill: () => {
      leave();
      booted.kill();
    },
    ended: booted.ended,
  };
}
export type Instance = ReturnType<typeof createInstance>;
