import { styleText } from "node:util";
import { readLogLine } from "./core/log-line.ts";

const colours = ["cyan", "magenta", "yellow", "green", "blue", "gray"] as const;

export interface Output {
  /** A line of our own. */
  say(line: string): void;
  /** A line of a process, behind its name. */
  processLine(name: string, line: string): void;
  /** Whether everything that the processes say is shown, or only warnings: while the platform starts and stops. */
  showAll(all: boolean): void;
}

/** Prefixed lines on the terminal, in colours where it has them. */
export function createOutput(stream: NodeJS.WriteStream, format: "text" | "json", names: readonly string[]): Output {
  const coloured = stream.isTTY === true && stream.hasColors();
  const width = Math.max(...names.map((name) => name.length));
  const prefixes = new Map(
    names.map((name, index) => {
      const text = `${name.padEnd(width)} |`;
      return [name, coloured ? styleText(colours[index % colours.length]!, text, { validateStream: false }) : text];
    }),
  );
  let all = false;
  // Nobody reads any more: the platform runs on without its log.
  stream.on("error", () => {});
  return {
    say: (line) => void stream.write(`${line}\n`),
    processLine(name, line) {
      if (format === "json" && line.startsWith("{")) return void stream.write(`${line}\n`);
      const { text, important } = readLogLine(line, coloured);
      if (all || important) stream.write(`${prefixes.get(name) ?? name} ${text}\n`);
    },
    showAll: (wanted) => {
      all = wanted;
    },
  };
}
