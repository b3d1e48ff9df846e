import type { Socket } from "node:net";
import type { FunctionDefinition, LogLine } from "@fnbus/contract";
import { createLineReader } from "../core/log-lines.ts";
import type { LogPublisher } from "./logs.ts";

/** Call numbers whose invocations are remembered for output that comes after the answer. */
const REMEMBERED = 128;
const TAIL_CHARS = 4096;

/** The output of one instance: read at once and always, so that neither side ever waits for the other. */
export function createInstanceOutput(definition: FunctionDefinition, instance: string, logs: LogPublisher) {
  /** By call number, counted up: the last so many. */
  const remembered: ({ call: number; invocation: string } | undefined)[] = Array(REMEMBERED).fill(undefined);
  const invocationOf = (call: number): string | undefined => {
    const found = remembered[call % REMEMBERED];
    return found?.call === call ? found.invocation : undefined;
  };
  let tail = "";
  const add = (stream: LogLine["stream"], text: string, invocation: string | undefined) =>
    logs.add(definition.space, {
      at: Date.now(),
      function: definition.name,
      registryId: definition.id,
      instance,
      ...(invocation === undefined ? {} : { invocation }),
      stream,
      text,
    });

  return {
    attach(socket: Socket, stream: "stdout" | "stderr"): void {
      const lines = createLineReader((line) => add(stream, line.text, invocationOf(line.call)), logs.dropped);
      socket.on("data", (chunk: Buffer) => {
        if (stream === "stderr") tail = (tail + chunk.toString("latin1")).slice(-TAIL_CHARS);
        lines.read(chunk);
      });
      socket.on("end", lines.end);
      socket.resume();
    },
    begin(call: number, invocation: string): void {
      remembered[call % REMEMBERED] = { call, invocation };
    },
    /** A line of ours about the function. */
    platform: (text: string, invocation?: string) => add("platform", text, invocation),
    /** The last that it wrote to stderr: says why V8 gave up. */
    tail: () => tail,
  };
}
export type InstanceOutput = ReturnType<typeof createInstanceOutput>;
