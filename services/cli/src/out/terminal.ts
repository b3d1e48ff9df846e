import { styleText } from "node:util";
import { toTable } from "../core/text.ts";

type Style = "bold" | "dim" | "green" | "yellow" | "red" | "cyan";

/** Results go to stdout, everything that only a person wants to stderr. */
export interface Terminal {
  readonly json: boolean;
  /** A person watches: stderr is a terminal. */
  readonly watched: boolean;
  print(line: string): void;
  printJson(value: unknown): void;
  printBytes(bytes: Uint8Array): Promise<void>;
  table(head: readonly string[], rows: readonly (readonly string[])[]): void;
  note(line: string): void;
  /** A line that is written over by the next, only where somebody watches. */
  progress(line: string): void;
  style(style: Style, text: string): string;
}

export function createTerminal(
  streams: { stdout: NodeJS.WriteStream; stderr: NodeJS.WriteStream },
  options: { json: boolean; colours: boolean },
): Terminal {
  const { stdout, stderr } = streams;
  const watched = stderr.isTTY === true && !options.json;
  const coloured = options.colours && stdout.isTTY === true && stdout.hasColors();
  const style = (name: Style, text: string) => (coloured ? styleText(name, text, { validateStream: false }) : text);
  let inProgress = false;
  const clear = () => {
    if (inProgress) stderr.write("\r\x1b[K");
    inProgress = false;
  };
  // Whoever reads us has gone: `fnbus logs x | head`.
  stdout.on("error", () => stdout.destroy());
  const print = (line: string) => {
    clear();
    stdout.write(`${line}\n`);
  };
  return {
    json: options.json,
    watched,
    print,
    printJson: (value) => print(JSON.stringify(value, null, stdout.isTTY ? 2 : undefined)),
    printBytes: (bytes) => {
      clear();
      return new Promise((resolve) => stdout.write(bytes, () => resolve()));
    },
    table(head, rows) {
      const [first, ...rest] = toTable(head, rows);
      print(style("dim", first!));
      for (const row of rest) print(row);
    },
    note(line) {
      clear();
      if (!options.json) stderr.write(`${line}\n`);
    },
    progress(line) {
      if (!watched) return;
      stderr.write(`\r\x1b[K${line}`);
      inProgress = true;
    },
    style,
  };
}
