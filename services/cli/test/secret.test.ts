import { EventEmitter } from "node:events";
import type { ReadStream } from "node:tty";
import { expect, test } from "vitest";
import { askSecret } from "../src/out/secret.ts";

/** A person's keyboard and screen. */
function startTerminal() {
  const shown: string[] = [];
  const modes: boolean[] = [];
  const stdin = Object.assign(new EventEmitter(), {
    isTTY: true,
    setRawMode: (raw: boolean) => modes.push(raw),
    setEncoding: () => stdin,
    resume: () => stdin,
    pause: () => stdin,
  });
  const stderr = { write: (text: string) => shown.push(text) } as unknown as NodeJS.WriteStream;
  const interrupted = new AbortController();
  const ask = () => askSecret("Password: ", stdin as unknown as ReadStream, stderr, interrupted.signal);
  return { stdin, shown, modes, interrupted, ask };
}

test("a secret is read key by key, mended, and never shown", async () => {
  const { stdin, shown, modes, ask } = startTerminal();
  const asked = ask();
  for (const keys of ["ge", "hx", "\x7f", "eim\r"]) stdin.emit("data", keys);
  expect([await asked, shown.join(""), modes]).toEqual(["geheim", "Password: \n", [true, false]]);
});

test("Ctrl-C ends it, as a key and as a signal, and the terminal is as it was", async () => {
  for (const end of [
    ({ stdin }: ReturnType<typeof startTerminal>) => stdin.emit("data", "ab\x03"),
    ({ interrupted }: ReturnType<typeof startTerminal>) => interrupted.abort(),
  ]) {
    const terminal = startTerminal();
    const asked = terminal.ask();
    end(terminal);
    await expect(asked).rejects.toThrow("Interrupted");
    expect([terminal.modes, terminal.stdin.listenerCount("data")]).toEqual([[true, false], 0]);
  }
});

test("where nobody is there, nobody is asked", async () => {
  const { stdin, shown, ask } = startTerminal();
  stdin.isTTY = false;
  expect([await ask(), shown]).toEqual([undefined, []]);
});
