import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { ClientError, createClient } from "@fnbus/client";
import { examine } from "@fnbus/local/doctor";
import { parseArgs } from "citty";
import { type Command, type Context, type Group, isGroup } from "./command.ts";
import { commands } from "./commands.ts";
import { readCliConfig, type Variables } from "./config.ts";
import { checkOptions } from "./core/arguments.ts";
import { exitCodes, toExitCode, UsageError } from "./core/exit-codes.ts";
import { didYouMean } from "./core/suggest.ts";
import { toCommandHelp, toGroupHelp } from "./help.ts";
import { readArchive } from "./out/archive.ts";
import { suggestName } from "./out/known-names.ts";
import { startMosquitto } from "./out/mosquitto.ts";
import { publishMessage } from "./out/mqtt-publish.ts";
import { findPlatform } from "./out/platform.ts";
import { askSecret } from "./out/secret.ts";
import { createTerminal, type Terminal } from "./out/terminal.ts";
import { watchPath } from "./out/watch.ts";

/** A person waits: a platform that starts just now is met, one that is not there is told soon. */
const RETRIES = 2;

interface Streams {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}

/** Runs one command. Resolves with the exit code; every failure is told on stderr. */
export async function runCli(argv: readonly string[], variables: Variables, streams: Streams): Promise<number> {
  const config = readCliConfig(variables);
  const terminal = createTerminal(streams, { json: argv.includes("--json"), colours: config.colours });
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  try {
    const { command, path, rest } = findCommand(argv);
    if (!command || rest.includes("--help") || rest.includes("-h")) {
      const help = command && !isGroup(command) ? await toCommandHelp(path, command) : toGroupHelp(path, command);
      terminal.print(help);
      const asked = argv.length === 0 || argv.includes("--help") || argv.includes("-h") || argv[0] === "help";
      return asked ? exitCodes.ok : exitCodes.usage;
    }
    const args = readArguments(command as Command, rest);
    const platform = findPlatform(config, process.cwd());
    const context: Context = {
      client: createClient({
        url: platform.url,
        ...(platform.apiKey && { apiKey: platform.apiKey }),
        retries: RETRIES,
      }),
      url: platform.url,
      terminal,
      signal: interrupted.signal,
      archive: readArchive,
      watch: (folder, onChange) => watchPath(folder, interrupted.signal, onChange),
      // /dev/stdin cannot be opened where it is a socket, as other programs make it.
      readFile: (path) => (path === "/dev/stdin" ? buffer(process.stdin) : readFile(path)),
      askSecret: (question) => askSecret(question, process.stdin, process.stderr, interrupted.signal),
      doctor: () => examine(variables, platform),
      dev: {
        startBroker: (port) => startMosquitto(port, interrupted.signal, variables),
        publish: publishMessage,
      },
    };
    const given = { ...args, space: (args.space as string | undefined) ?? config.space };
    const code = await (command as Command).run(given, context, rest).catch(async (error: unknown) => {
      const hint = error instanceof ClientError ? await suggestName(error, given, context.client) : "";
      if (hint !== "") (error as Error).message = `${(error as Error).message.replace(/\.$/, "")}.${hint}`;
      throw error;
    });
    return typeof code === "number" ? code : exitCodes.ok;
  } catch (error) {
    return tell(error, terminal);
  }
}

function findCommand(argv: readonly string[]): { command?: Command | Group; path: string[]; rest: readonly string[] } {
  const [first, ...rest] = argv;
  if (first === undefined || first.startsWith("-") || first === "help") return { path: [], rest: argv };
  const found = Object.hasOwn(commands, first) ? commands[first]! : undefined;
  if (!found) throw new UsageError(`No such command: ${first}.${didYouMean(first, Object.keys(commands))}`);
  if (!isGroup(found)) return { command: found, path: [first], rest };
  const [second, ...more] = rest;
  if (second === undefined || second.startsWith("-")) return { command: found, path: [first], rest: ["--help"] };
  const names = Object.keys(found.commands);
  if (!names.includes(second))
    throw new UsageError(
      `No such command: ${first} ${second}.${didYouMean(second, names)} There are: ${names.join(", ")}`,
    );
  return { command: found.commands[second]!, path: [first, second], rest: more };
}

function readArguments({ args }: Command, argv: readonly string[]): Record<string, unknown> {
  let read: Record<string, unknown> & { _: string[] };
  try {
    read = parseArgs([...argv], args);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  checkOptions(argv, args, read._);
  return read;
}

function tell(error: unknown, terminal: Terminal): number {
  const isUsage = error instanceof UsageError || (error as NodeJS.ErrnoException).code === "ENOENT";
  const code = isUsage ? exitCodes.usage : error instanceof ClientError ? toExitCode(error) : exitCodes.platform;
  const { message } = error as Error;
  if (terminal.json) {
    const facts =
      error instanceof ClientError
        ? { code: error.code, side: error.side, status: error.status, fix: error.fix, details: error.details }
        : { code: isUsage ? "usage" : "internal" };
    process.stderr.write(`${JSON.stringify({ error: { message, ...facts } })}\n`);
    return code;
  }
  terminal.note(terminal.style("red", message));
  if (error instanceof ClientError) {
    if (error.fix) terminal.note(error.fix);
    for (const [name, value] of Object.entries(error.details ?? {}))
      terminal.note(`  ${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`);
  }
  return code;
}
