import type { Accepted, Call, CallAnswer } from "@fnbus/client";
import { type Context, defineCommand } from "../command.ts";
import { readDurationMs, readPairs, readRepeated } from "../core/arguments.ts";
import { exitCodes, UsageError } from "../core/exit-codes.ts";
import { toDuration } from "../core/text.ts";
import { waitForEnd } from "./wait.ts";

const methods = ["POST", "GET", "PUT", "PATCH", "DELETE"] as const;
type Method = (typeof methods)[number];

export const invoke = defineCommand({
  description: "Call a function and print its answer, or have the call accepted with --async",
  args: {
    name: { type: "positional", description: "the function's name", required: true },
    data: { type: "string", description: "body of the request; @file and - (stdin) are read", alias: "d" },
    file: { type: "string", description: "body of the request from a file", alias: "f" },
    header: { type: "string", description: "header, may be repeated", alias: "H", valueHint: "Name: value" },
    method: { type: "string", description: "POST, GET, PUT, PATCH or DELETE", alias: "X" },
    path: { type: "string", description: "what follows invoke", valueHint: "/stock/today" },
    query: { type: "string", description: "query string", valueHint: "a=1&b=2" },
    timeout: { type: "string", description: "how long to wait", valueHint: "30s" },
    key: { type: "string", description: "idempotency key: the same key is the same invocation" },
    async: { type: "boolean", description: "accept it and print its id", alias: "a" },
    callback: { type: "string", description: "URL that gets the result (with --async)" },
    wait: { type: "boolean", description: "with --async: wait for its end and print the result" },
  },
  async run(args, context, argv) {
    const method = (args.method ?? "POST").toUpperCase() as Method;
    if (!methods.includes(method)) throw new UsageError(`--method takes ${methods.join(", ")}`);
    if ((args.callback || args.wait) && !args.async) throw new UsageError("--callback and --wait go with --async");
    const body = await readBody(context, args.data, args.file);
    const headers = readPairs(readRepeated(argv, "--header", "-H"), ":", "--header");
    const timeoutMs = readDurationMs(args.timeout, "--timeout");
    const call: Call = {
      method,
      headers: withContentType(headers, body),
      signal: context.signal,
      ...(args.path && { path: args.path }),
      ...(args.query && { query: args.query }),
      ...(args.key && { idempotencyKey: args.key }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      // A GET has no body.
      ...(body !== undefined && method !== "GET" && { body }),
    };
    if (!args.async) return showAnswer(context, await context.client.invoke(args.space, args.name, call));
    const accepted = await context.client.invokeAsync(args.space, args.name, {
      ...call,
      ...(args.callback && { callbackUrl: args.callback }),
    });
    if (args.wait) return waitForEnd(context, args.space, accepted.id, timeoutMs);
    showAccepted(context, accepted);
    return exitCodes.ok;
  },
});

async function readBody({ readFile }: Context, data: string | undefined, file: string | undefined) {
  if (data !== undefined && file !== undefined) throw new UsageError("Either --data or --file");
  if (file !== undefined) return readFile(file);
  if (data === "-") return readFile("/dev/stdin");
  return data?.startsWith("@") ? readFile(data.slice(1)) : data;
}

/** JSON is called what it is, unless the caller says otherwise. */
function withContentType(
  headers: Record<string, string>,
  body: string | Uint8Array | undefined,
): Record<string, string> {
  if (typeof body !== "string" || Object.keys(headers).some((name) => name.toLowerCase() === "content-type"))
    return headers;
  try {
    JSON.parse(body);
    return { ...headers, "content-type": "application/json" };
  } catch {
    return { ...headers, "content-type": "text/plain; charset=utf-8" };
  }
}

async function showAnswer({ terminal }: Context, answer: CallAnswer): Promise<number> {
  const text = Buffer.from(answer.body).toString("utf8");
  if (terminal.json) terminal.printJson({ ...answer, headers: Object.fromEntries(answer.headers), body: text });
  else {
    await terminal.printBytes(answer.body);
    if (terminal.watched) {
      const failed = answer.error ? terminal.style("red", ` ${answer.error.code}`) : "";
      terminal.note(
        `${text.endsWith("\n") || text === "" ? "" : "\n"}${answer.status}${failed} ${toDuration(answer.durationMs)}`,
      );
    } else if (answer.error) terminal.note(`${answer.error.code} (HTTP ${answer.status})`);
  }
  return answer.error || answer.status >= 500 ? exitCodes.function : exitCodes.ok;
}

function showAccepted({ terminal }: Context, accepted: Accepted): void {
  if (terminal.json) {
    terminal.printJson(accepted);
    return;
  }
  terminal.print(accepted.id);
  terminal.note(`Accepted${accepted.replayed ? " before" : ""}. See: fnbus invocations get ${accepted.id}`);
}
