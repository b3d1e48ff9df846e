import type { Readable } from "node:stream";

/** A longer line is cut there: a process that writes without an end must not fill our memory (I11). */
const LONGEST_LINE = 16 * 1024;

/** Calls `onLine` for every line of a stream of text, and for what stands behind the last line end. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) onLine(line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line);
    if (rest.length > LONGEST_LINE) {
      onLine(`${rest.slice(0, LONGEST_LINE)}…`);
      rest = "";
    }
  });
  stream.on("end", () => {
    if (rest !== "") onLine(rest);
  });
  // A pipe that breaks has nothing more to say; its process is watched elsewhere.
  stream.on("error", () => {});
}
