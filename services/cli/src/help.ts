import { defineCommand, renderUsage } from "citty";
import { type Command, type Group, isGroup } from "./command.ts";
import { commands } from "./commands.ts";
import { toTable } from "./core/text.ts";

const exits = `Exit codes: 0 done · 1 refused (credentials, conflict, invalid) · 2 wrong use of the command
            3 the platform failed or cannot be reached · 4 the function failed · 5 not found`;

/** The list of commands, or of one group's commands. */
export function toGroupHelp(path: readonly string[], group: Command | Group | undefined): string {
  const members = group && isGroup(group) ? group.commands : commands;
  const prefix = ["fnbus", ...path].join(" ");
  const rows = Object.entries(members).map(([name, one]) => [
    `  ${name}`,
    isGroup(one) ? `${one.description} (${Object.keys(one.commands).join(", ")})` : one.description,
  ]);
  return [
    `Usage: ${prefix} <command> [options]     ${prefix} <command> --help`,
    ...toTable(["", ""], rows).slice(1),
    "",
    "Finds a platform of this machine by itself; FNBUS_URL and FNBUS_API_KEY name another. --json on every command.",
    exits,
  ].join("\n");
}

/** One command with its options. */
export async function toCommandHelp(path: readonly string[], command: Command): Promise<string> {
  const definition = defineCommand({
    meta: { name: ["fnbus", ...path].join(" "), description: command.description },
    args: command.args,
  });
  return `${(await renderUsage(definition)).trimEnd()}\n\n${exits}`;
}
