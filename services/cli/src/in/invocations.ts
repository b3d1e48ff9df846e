import { endStates, type InvocationState, type InvocationView } from "@fnbus/contract";
import { defineCommand, type Group } from "../command.ts";
import { readDurationMs, readNumber } from "../core/arguments.ts";
import { UsageError } from "../core/exit-codes.ts";
import { toDuration, toTime } from "../core/text.ts";
import type { Terminal } from "../out/terminal.ts";
import { waitForEnd } from "./wait.ts";

const id = { type: "positional", description: "the invocation's id", required: true } as const;
const states: readonly InvocationState[] = ["queued", "running", "waiting", ...endStates];

const list = defineCommand({
  description: "The newest invocations",
  args: {
    function: { type: "string", description: "of this function", alias: "f" },
    state: { type: "string", description: states.join(", ") },
    since: { type: "string", description: "accepted within this time", valueHint: "1h" },
    limit: { type: "string", description: "how many (20)" },
  },
  async run(args, { client, terminal }) {
    if (args.state && !states.includes(args.state as InvocationState))
      throw new UsageError(`--state takes ${states.join(", ")}`);
    const sinceMs = readDurationMs(args.since, "--since");
    const page = await client.invocations.list(args.space, {
      limit: readNumber(args.limit, "--limit") ?? 20,
      ...(args.function && { function: args.function }),
      ...(args.state && { state: args.state as InvocationState }),
      ...(sinceMs !== undefined && { since: new Date(Date.now() - sinceMs).toISOString() }),
    });
    if (terminal.json) return terminal.printJson(page);
    if (page.data.length === 0) return terminal.note("None.");
    terminal.table(
      ["ID", "FUNCTION", "STATE", "ACCEPTED (UTC)", "TRIES", "TOOK", "CALLBACK"],
      page.data.map((view) => [
        view.id,
        view.function,
        view.state,
        toTime(view.acceptedAt),
        String(view.attempts),
        toDuration(view.durationMs),
        view.callback?.state ?? "",
      ]),
    );
  },
});

const get = defineCommand({
  description: "Everything about one invocation: state, attempts, result, callback",
  args: { id },
  async run(args, { client, terminal }) {
    const view = await client.invocations.get(args.space, args.id);
    if (terminal.json) terminal.printJson(view);
    else for (const line of describe(view, terminal)) terminal.print(line);
  },
});

const wait = defineCommand({
  description: "Wait for the end and print the result; the exit code says how it ended",
  args: { id, timeout: { type: "string", description: "how long to wait at most", valueHint: "60s" } },
  run: (args, context) => waitForEnd(context, args.space, args.id, readDurationMs(args.timeout, "--timeout")),
});

const cancel = defineCommand({
  description: "Cancel it, waiting or running",
  args: { id },
  async run(args, { client, terminal }) {
    const answer = await client.invocations.cancel(args.space, args.id);
    if (terminal.json) terminal.printJson(answer);
    else terminal.print(answer.state);
  },
});

const redrive = defineCommand({
  description: "Send a dead letter again as a new invocation, or with --callback deliver its result again",
  args: { id, callback: { type: "boolean", description: "the callback only" } },
  async run(args, { client, terminal }) {
    const { redrive: again, redriveCallback } = client.invocations;
    const answer = await (args.callback ? redriveCallback : again)(args.space, args.id);
    if (terminal.json) terminal.printJson(answer);
    else terminal.print(answer.id);
  },
});

export const invocations: Group = {
  description: "What became of asynchronous calls",
  commands: { list, get, wait, cancel, redrive },
};

function describe(view: InvocationView, terminal: Terminal): string[] {
  const isGood = view.state === "succeeded";
  const line = (name: string, text: string | number | undefined) =>
    text === undefined || text === "" ? [] : [`${terminal.style("dim", name.padEnd(10))} ${text}`];
  return [
    ...line("id", view.id),
    ...line("function", `${view.space}/${view.function} (${view.qualifier})`),
    ...line("state", terminal.style(isGood ? "green" : view.endedAt ? "red" : "yellow", view.state)),
    ...line("error", view.errorCode && `${view.errorCode}: ${view.errorMessage ?? ""}`),
    ...line("request", `${view.method} ${view.path}, ${view.mode}, from ${view.source}`),
    ...line("call id", view.callId === view.id ? undefined : view.callId),
    ...line("key", view.idempotencyKey),
    ...line("redrive of", view.redriveOf),
    ...line("accepted", toTime(view.acceptedAt)),
    ...line("started", toTime(view.startedAt)),
    ...line("ended", view.endedAt && `${toTime(view.endedAt)}, ran ${toDuration(view.durationMs)}`),
    ...line("attempts", `${view.attempts}${view.lost > 0 ? `, and ${view.lost} lost with their executor` : ""}`),
    ...view.history.map((one) => `  ${one.attempt}  ${one.how}  ${one.errorCode}  ${one.message}`),
    ...line("next try", toTime(view.nextAttemptAt)),
    ...line("result", view.result && `status ${view.result.statusCode}, ${view.result.bytes} bytes`),
    ...line("callback", view.callback && `${view.callback.state}  ${view.callback.url}`),
    ...(view.callback?.attempts ?? []).map(
      (one) =>
        `  ${one.attempt}  ${toTime(one.at)}  ${one.statusCode ?? one.errorCode ?? ""}  ${toDuration(one.durationMs)}` +
        `${one.message ? `  ${one.message}` : ""}${one.nextAt ? `  next ${toTime(one.nextAt)}` : ""}`,
    ),
  ];
}
