import type { ReadStream } from "node:tty";
import { UsageError } from "../core/exit-codes.ts";

const [CTRL_C, CTRL_D, DELETE, BACKSPACE] = ["\x03", "\x04", "\x7f", "\b"];

/** Reads a line of a terminal without showing it. undefined: no terminal. Throws UsageError where the person ends it. */
export function askSecret(
  question: string,
  stdin: ReadStream,
  stderr: NodeJS.WriteStream,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!stdin.isTTY) return Promise.resolve(undefined);
  // Ctrl-C comes as a key from here on, and as a signal before.
  stdin.setRawMode(true);
  stdin.setEncoding("utf8").resume();
  stderr.write(question);
  return new Promise((resolve, reject) => {
    let typed = "";
    const close = () => {
      stdin.off("data", onData);
      signal.removeEventListener("abort", onAbort);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write("\n");
    };
    const onAbort = () => {
      close();
      reject(new UsageError("Interrupted; nothing was done"));
    };
    const onData = (data: string) => {
      for (const key of data) {
        if (key === CTRL_C) return onAbort();
        if (key === "\r" || key === "\n" || key === CTRL_D) {
          close();
          return resolve(typed);
        }
        typed = key === DELETE || key === BACKSPACE ? typed.slice(0, -1) : typed + key;
      }
    };
    stdin.on("data", onData);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
  });
}
