/** Output belongs to the call that wrote it: a mark goes before the first output of another call (../PROTOCOL.md). */
import { AsyncLocalStorage } from "node:async_hooks";

/** The call number of the running call. */
export const currentCall = new AsyncLocalStorage();

/** Puts marks into stdout and stderr. */
export function markOutput() {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    let marked = 0;
    let lineOpen = false;
    stream.write = (chunk, ...rest) => {
      const call = currentCall.getStore() ?? marked;
      if (call !== marked) {
        marked = call;
        write(`${lineOpen ? "\n" : ""}\0${call}\n`);
      }
      if (chunk.length > 0) lineOpen = typeof chunk === "string" ? !chunk.endsWith("\n") : chunk.at(-1) !== 10;
      return write(chunk, ...rest);
    };
  }
}
