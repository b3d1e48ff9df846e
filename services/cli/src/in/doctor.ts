import { defineCommand } from "../command.ts";
import { exitCodes } from "../core/exit-codes.ts";

const marks = { ok: ["green", "ok"], degraded: ["yellow", "degraded"], failed: ["red", "failed"] } as const;

export const doctor = defineCommand({
  description: "What this machine offers the platform, what is degraded, and how to mend it",
  args: {},
  async run(_args, { doctor: examine, terminal }) {
    const { checks, ok } = await examine();
    if (terminal.json) terminal.printJson({ ok, checks });
    else
      for (const { name, state, text, fix } of checks) {
        const [style, word] = marks[state];
        terminal.print(`${terminal.style(style, word.padEnd(8))}  ${name.padEnd(16)}  ${text}`);
        if (fix) terminal.print(`${" ".repeat(28)}${terminal.style("dim", `-> ${fix}`)}`);
      }
    return ok ? exitCodes.ok : exitCodes.platform;
  },
});
