import type { TriggerView } from "@fnbus/client";
import { triggerTypes } from "@fnbus/contract";
import { type Context, defineCommand, type Group } from "../command.ts";
import { UsageError } from "../core/exit-codes.ts";
import { toListRow, toTestedLines, toTriggerLines } from "../core/trigger-text.ts";
import type { Terminal } from "../out/terminal.ts";
import { change, create, toType } from "./trigger-settings.ts";

const name = { type: "positional", description: "its name", required: true } as const;
const NEXT_RUNS = 5;
const PAGE = 500;

const colours = { Running: "green", Failed: "red", Pending: "yellow", Paused: "dim" } as const;
const line = (terminal: Terminal) => (label: string, text: string | number | undefined) =>
  text === undefined || text === "" ? [] : [`${terminal.style("dim", label.padEnd(10))} ${text}`];

const list = defineCommand({
  description: "All triggers with their state and what went wrong last",
  args: {
    type: { type: "string", description: triggerTypes.join(", ") },
    function: { type: "string", description: "of this function", alias: "f" },
  },
  async run(args, { client, terminal }) {
    const found: TriggerView[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await client.triggers.list(args.space, {
        limit: PAGE,
        ...(args.type && { type: toType(args.type) }),
        ...(args.function && { function: args.function }),
        ...(cursor !== undefined && { cursor }),
      });
      found.push(...page.data);
      cursor = page.next;
      if (cursor === undefined) break;
    }
    if (terminal.json) terminal.printJson(found);
    else if (found.length === 0)
      terminal.note(
        'None. Make one: fnbus triggers create nightly --type timer --schedule "0 3 * * *" --function hello',
      );
    else
      terminal.table(
        ["NAME", "TYPE", "STATE", "FUNCTION", "INVOCATIONS", "LAST EVENT (UTC)", "ERROR"],
        found.map((one) => toListRow(one)),
      );
  },
});

const show = defineCommand({
  description: "One trigger: state on every replica, last error, next runs",
  args: { name },
  async run(args, context) {
    const [view, runs] = await Promise.all([
      context.client.triggers.get(args.space, args.name),
      context.client.triggers.runs(args.space, args.name, NEXT_RUNS),
    ]);
    const { terminal } = context;
    if (terminal.json) {
      terminal.printJson({ ...view, runs });
      return;
    }
    const { state } = view.status!;
    const say = line(terminal);
    const lines = [
      ...say("name", `${view.space}/${view.name}`),
      ...say("state", terminal.style(colours[state], state)),
      ...toTriggerLines(view, say),
      ...runs.flatMap((one) => [
        ...say(
          "next runs",
          `${one.function}  ${one.schedule}  ${one.timezone}${view.enabled ? "" : "  (when resumed)"}`,
        ),
        ...one.runs.map((at) => `  ${at}`),
      ]),
    ];
    for (const text of lines) terminal.print(text);
  },
});

const test = defineCommand({
  description: "Invoke as for one event of its source: a sample, or --event",
  args: {
    name,
    "dry-run": { type: "boolean", description: "show what would be invoked, and invoke nothing" },
    event: {
      type: "string",
      description: "file with the event as the source sends it; - reads stdin",
      valueHint: "file",
    },
  },
  async run(args, context) {
    const event = args.event === undefined ? undefined : await readEvent(context, args.event);
    await invokeOnce(context, args.space, args.name, args["dry-run"] === true, event);
  },
});

const run = defineCommand({
  description: "Run what it asks for now, beside its schedule",
  args: { name },
  run: (args, context) => invokeOnce(context, args.space, args.name, false, undefined),
});

async function invokeOnce(
  { client, terminal }: Context,
  space: string,
  trigger: string,
  dryRun: boolean,
  event: unknown,
) {
  const made = await client.triggers.test(space, trigger, { dryRun, ...(event !== undefined && { event }) });
  if (terminal.json) terminal.printJson(made);
  else if (dryRun) for (const text of made.flatMap((one) => toTestedLines(one, line(terminal)))) terminal.print(text);
  else for (const { id } of made) terminal.print(id);
  if (made.length === 0) terminal.note("No function asks for this event.");
  else if (dryRun) terminal.note(`${made.length} would be invoked; nothing was.`);
  else terminal.note(`Invoked. See: fnbus invocations get ${made[0]!.id}`);
}

/** JSON where it is, else the text itself. */
async function readEvent({ readFile }: Context, file: string): Promise<unknown> {
  const text = (await readFile(file === "-" ? "/dev/stdin" : file)).toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const pause = defineCommand({
  description: "Pause it; brokers that keep its place keep it",
  args: { name },
  async run(args, { client, terminal }) {
    const paused = await client.triggers.pause(args.space, args.name);
    if (terminal.json) terminal.printJson(paused);
    else terminal.print(`${paused.name} paused`);
  },
});

const resume = defineCommand({
  description: "Let it go on",
  args: { name },
  async run(args, { client, terminal }) {
    const resumed = await client.triggers.resume(args.space, args.name);
    if (terminal.json) terminal.printJson(resumed);
    else terminal.print(`${resumed.name} resumed`);
  },
});

const replay = defineCommand({
  description: "Begin anew: events that were taken before are taken again where the source sends them again",
  args: { name, from: { type: "string", description: "of kafka, which needs it: latest or earliest" } },
  async run(args, { client, terminal }) {
    if (args.from !== undefined && args.from !== "latest" && args.from !== "earliest")
      throw new UsageError("--from takes latest or earliest");
    const begun = await client.triggers.replay(args.space, args.name, args.from);
    if (terminal.json) terminal.printJson(begun);
    else terminal.print(`${begun.name} begins anew`);
  },
});

const remove = defineCommand({
  description: "Delete it; what it invoked goes on",
  args: { name },
  async run(args, { client, terminal }) {
    await client.triggers.delete(args.space, args.name);
    if (terminal.json) terminal.printJson({ deleted: args.name });
    else terminal.print(`${args.name} deleted`);
  },
});

export const triggers: Group = {
  description: "What asks for functions by itself: schedules, brokers, events",
  commands: { create, change, list, show, test, run, pause, resume, replay, delete: remove },
};
