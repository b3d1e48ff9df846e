import { createFrameReader, encodeRunnerFrames, type RunnerFrame, type RunnerMessage } from "../core/frames.ts";
import type { Child } from "./spawner.ts";

/** The other end of a runner's descriptor 3. */
export interface Runner {
  child: Child;
  /** Frames of one turn of the event loop leave as one write. */
  send(type: number, call: number, json: string, body?: Uint8Array): void;
  /** Frames go here from now on; what is no frame at all ends in `onFault`, once. */
  listen(onFrame: (frame: RunnerFrame) => void, onFault: (message: string) => void): void;
}

/** Speaks runtime/PROTOCOL.md with a started process. */
export function createRunner(child: Child): Runner {
  let waiting: RunnerMessage[] = [];
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
    const messages = waiting;
    waiting = [];
    child.channel.write(encodeRunnerFrames(messages));
  }

  return {
    child,
    send(type, call, json, body) {
      if (waiting.push({ type, call, json, body }) === 1) setImmediate(flush);
    },
    listen(frames, fault) {
      onFrame = frames;
      onFault = fault;
    },
  };
}
