import type { ReadStream } from "node:tty";

const [CTRL_C, CTRL_D, DELETE, BACKSPACE] = ["\x03", "\x04", "\x7f", "\b"];

/** Reads a line of a terminal without showing it. undefined: no terminal, or Ctrl-C. */
export function askSecret(
  question: string,
  stdin: ReadStream,
  stderr: NodeJS.WriteStream,
): Promise<string | undefined> {
  if (!stdin.isTTY) return Promise.resolve(undefined);
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8").resume();
  return new Promise((resolve) => {
    let typed = "";
    const end = (answer: string | undefined) => {
      stdin.off("data", onData);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write("\n");
      resolve(answer);
    };
    const onData = (data: string) => {
      for (const key of data) {
        if (key === "\r" || key === "\n" || key === CTRL_D) return end(typed);
        if (key === CTRL_C) return end(undefined);
        typed = key === DELETE || key === BACKSPACE ? typed.slice(0, -1) : typed + key;
      }
    };
    stdin.on("data", onData);
  });
}
