import { type TriggerSettings, type TriggerType, triggerTypes } from "@fnbus/contract";
import { type Context, defineCommand } from "../command.ts";
import { UsageError } from "../core/exit-codes.ts";
import { didYouMean } from "../core/suggest.ts";
import { configFlags, fileFlags, toTriggerConfig } from "../core/trigger-flags.ts";

interface StringOption {
  type: "string";
  description: string;
  valueHint?: string;
}
type ConfigOptions = Record<keyof typeof configFlags | keyof typeof fileFlags, StringOption>;

const configOptions: ConfigOptions = Object.fromEntries(
  Object.entries({ ...configFlags, ...fileFlags }).map(([name, { types, description, valueHint }]) => [
    name,
    {
      type: "string",
      description: `${types.join(", ")}: ${description}`,
      ...(valueHint !== undefined && { valueHint }),
    },
  ]),
);
const settings = {
  function: { type: "string", description: "the function that is invoked", alias: "f", valueHint: "name" },
  description: { type: "string", description: "a text for people" },
  callback: { type: "string", description: "URL that gets the result of each invocation" },
  config: { type: "string", description: "JSON file with the type's config; options stand over it", valueHint: "file" },
  tls: { type: "boolean", description: "mqtt, rabbitmq, kafka: connect with TLS" },
} as const;

/** Type of a trigger, or what was meant. Throws UsageError. */
export function toType(text: string): TriggerType {
  const type = triggerTypes.find((one) => one === text);
  if (type) return type;
  throw new UsageError(`No such type: ${text}.${didYouMean(text, triggerTypes)} There are: ${triggerTypes.join(", ")}`);
}

export const create = defineCommand({
  description: "Make a trigger",
  args: {
    name: { type: "positional", description: "its name (of cron always cron)", required: false },
    type: { type: "string", description: triggerTypes.join(", "), required: true },
    ...settings,
    paused: { type: "boolean", description: "it begins when it is resumed" },
    ...configOptions,
  },
  async run(args, context) {
    const type = toType(args.type);
    const config = await toConfig(context, type, args);
    const made = await context.client.triggers.create(args.space, {
      ...{ type, config },
      ...(args.name && { name: args.name }),
      ...(args.description !== undefined && { description: args.description }),
      ...(args.function && { function: { name: args.function } }),
      ...(args.callback && { callbackUrl: args.callback }),
      ...(args.paused && { enabled: false }),
    });
    const { terminal } = context;
    if (terminal.json) terminal.printJson(made);
    else {
      terminal.print(`${made.name} created`);
      terminal.note(`See how it does: fnbus triggers show ${made.name}`);
    }
  },
});

export const change = defineCommand({
  description: "Change a trigger: what no option names stays as it is",
  args: { name: { type: "positional", description: "its name", required: true }, ...settings, ...configOptions },
  async run(args, context) {
    const { type } = await context.client.triggers.get(args.space, args.name);
    const config = await toConfig(context, type, args);
    const changed = await context.client.triggers.patch(args.space, args.name, {
      ...(Object.keys(config).length > 0 && { config }),
      ...(args.description !== undefined && { description: args.description }),
      ...(args.function !== undefined && { function: args.function === "" ? null : { name: args.function } }),
      ...(args.callback !== undefined && { callbackUrl: args.callback || null }),
    });
    const { terminal } = context;
    if (terminal.json) terminal.printJson(changed);
    else terminal.print(`${changed.name} changed`);
  },
});

/** What options and files say. A password is asked for where a user is named without one and a person is there. */
async function toConfig(context: Context, type: TriggerType, args: Record<string, unknown>) {
  const files: Record<string, string> = {};
  for (const name of Object.keys(fileFlags)) {
    const file = args[name];
    if (typeof file === "string") files[name] = await readText(context, file);
  }
  const base = typeof args.config === "string" ? readConfig(await readText(context, args.config), args.config) : {};
  if (args.username !== undefined && files["password-file"] === undefined && base.password === undefined) {
    const password = await context.askSecret("Password: ");
    if (password !== undefined) files["password-file"] = password;
  }
  return toTriggerConfig(type, args, files, base);
}

const readText = async ({ readFile }: Context, file: string): Promise<string> =>
  (await readFile(file === "-" ? "/dev/stdin" : file)).toString("utf8");

function readConfig(text: string, file: string): TriggerSettings["config"] {
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === "object" && config !== null && !Array.isArray(config))
      return config as TriggerSettings["config"];
  } catch (error) {
    throw new UsageError(`${file} is not valid JSON: ${(error as Error).message}`);
  }
  throw new UsageError(`${file} must hold one JSON object`);
}
