import { createFrameReader, encodeRunnerFrame, type RunnerFrame } from "../core/frames.ts";
import type { Child } from "./spawner.ts";

/** The other end of a runner's descriptor 3. */
export interface Runner {
  child: Child;
  /** Frames of one turn of the event loop leave as one write. */
  send(type: number, call: number, json: string, body?: Uint8Array): void;
  /** Frames go here from now on; what is no frame at all ends in `onFault`, once. */
  listen(onFrame: (frame: RunnerFrame) => void, onFault: (message: string) => void): void;
}

const COPY_BYTES = 64 * 1024;

/** Speaks runtime/PROTOCOL.md with a started process. */
export function createRunner(child: Child): Runner {
  let waiting: Buffer[] = [];
  let onFrame: (frame: RunnerFrame) => void = () => {};
  let onFault: (message: string) => void = () => {};
  const read = createFrameReader((frame) => onFrame(frame));

  child.channel.on("data", (chunk: Buffer) => {
    try {
      read(chunk);
    } catch (error) {
      child.channel.destroy();
      onFault((error as Error).message);
    }
  });

  function flush(): void {
    const frames = waiting;
    waiting = [];
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    if (frames.length === 1 || bytes <= COPY_BYTES) {
      child.channel.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames, bytes));
      return;
    }
    child.channel.cork();
    for (const frame of frames) child.channel.write(frame);
    child.channel.uncork();
  }

  return {
    child,
    send(type, call, json, body) {
      if (waiting.push(encodeRunnerFrame(type, call, json, body)) === 1) setImmediate(flush);
    },
    listen(frames, fault) {
      onFrame = frames;
      onFault = fault;
    },
  };
}
