import { defineCommand } from "../command.ts";
import { readDurationMs, readNumber } from "../core/arguments.ts";
import { toTime } from "../core/text.ts";

export const logs = defineCommand({
  description: "What a function wrote",
  args: {
    name: { type: "positional", description: "the function's name", required: true },
    follow: { type: "boolean", description: "go on until Ctrl-C", alias: "f" },
    since: { type: "string", description: "not older than this", valueHint: "10m" },
    tail: { type: "string", description: "the newest lines only", valueHint: "100" },
    invocation: { type: "string", description: "lines of this invocation only", valueHint: "id" },
  },
  async run(args, { client, terminal, signal }) {
    const sinceMs = readDurationMs(args.since, "--since");
    const tail = readNumber(args.tail, "--tail");
    const lines = client.logs(args.space, args.name, {
      signal,
      ...(args.follow && { follow: true }),
      ...(sinceMs !== undefined && { since: new Date(Date.now() - sinceMs).toISOString() }),
      ...(tail !== undefined && { tail }),
      ...(args.invocation && { invocation: args.invocation }),
    });
    try {
      for await (const line of lines) {
        if (terminal.json) terminal.printJson(line);
        else {
          const text = line.stream === "stdout" ? line.text : terminal.style("yellow", line.text);
          terminal.print(
            `${terminal.style("dim", `${toTime(line.at)} ${line.invocation?.slice(-8) ?? "-".repeat(8)}`)} ${text}`,
          );
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  },
});
