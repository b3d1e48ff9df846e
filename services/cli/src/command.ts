import type { Client } from "@fnbus/client";
import type { ArgsDef, ParsedArgs } from "citty";
import type { Terminal } from "./out/terminal.ts";

/** What a command may use. */
export interface Context {
  client: Client;
  url: string;
  terminal: Terminal;
  /** Ends with Ctrl-C. */
  signal: AbortSignal;
  archive(path: string): Promise<Archive>;
  /** Calls back after changes below a path have come to rest, until the signal ends. */
  watch(path: string, onChange: () => Promise<void>): Promise<void>;
  readFile(path: string): Promise<Buffer>;
  /** Asks the person for something that is not shown; undefined: nobody is there. */
  askSecret(question: string): Promise<string | undefined>;
  doctor(): Promise<{ checks: Check[]; ok: boolean }>;
  dev: {
    /** Throws what to install, or what is in the way. */
    startBroker(port: number): Promise<Broker>;
    publish(message: { port: number; topic: string; payload: Uint8Array; retain: boolean }): Promise<void>;
  };
}

/** A broker that runs until Ctrl-C. */
export interface Broker {
  /** The program, or the image. */
  what: string;
  ended: Promise<void>;
}

/** Code ready to be uploaded, and what its top files are. */
export interface Archive {
  bytes: Uint8Array;
  files: number;
  names: string[];
  read(name: string): string;
}

export interface Check {
  name: string;
  state: "ok" | "degraded" | "failed";
  text: string;
  fix?: string;
}

export interface Command {
  description: string;
  args: ArgsDef;
  /** Resolves with the exit code; anything but a number: 0. */
  run(args: Record<string, unknown>, context: Context, argv: readonly string[]): Promise<unknown>;
}

export interface Group {
  description: string;
  commands: Record<string, Command>;
}

export const isGroup = (one: Command | Group): one is Group => "commands" in one;

/** Options that every command has. */
const common = {
  json: { type: "boolean", description: "JSON on stdout, for scripts" },
  space: { type: "string", description: "space (FNBUS_SPACE, default)", alias: "s", valueHint: "name" },
} as const;

/** A command whose `run` sees its options with their types. */
export function defineCommand<const A extends ArgsDef>(definition: {
  description: string;
  args: A;
  run(args: ParsedArgs<A> & { space: string }, context: Context, argv: readonly string[]): Promise<unknown>;
}): Command {
  return { ...definition, args: { ...definition.args, ...common }, run: definition.run as Command["run"] };
}
