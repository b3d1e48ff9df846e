import { ClientError, type FunctionView } from "@fnbus/client";
import type { FunctionSettings, HandlerStyle, Runtime } from "@fnbus/contract";
import { type Archive, type Context, defineCommand } from "../command.ts";
import { readDurationMs, readNumber, readPairs, readRepeated } from "../core/arguments.ts";
import { exitCodes, UsageError } from "../core/exit-codes.ts";
import { guessHandler } from "../core/guess.ts";
import { toBytes, toDuration, toUploadLine } from "../core/text.ts";

const READY_POLL_MS = 200;
const READY_TIMEOUT_MS = 120_000;

export const deploy = defineCommand({
  description: "Create a function or give it new code: a folder, a file, or a ZIP archive",
  args: {
    name: { type: "positional", description: "the function's name", required: true },
    path: { type: "positional", description: "folder, file or ZIP archive", required: true },
    runtime: { type: "string", description: "nodejs or python (default: by the files)" },
    handler: { type: "string", description: "file.function (default: by the files)", valueHint: "index.handler" },
    style: { type: "string", description: "event or request (default: by the handler)" },
    env: { type: "string", description: "environment, may be repeated", alias: "e", valueHint: "NAME=value" },
    timeout: { type: "string", description: "longest run", valueHint: "30s" },
    memory: { type: "string", description: "memory of an instance, MB", valueHint: "256" },
    concurrency: { type: "string", description: "runs at once in all", valueHint: "100" },
    topics: { type: "string", description: "topics that it listens to (mqtt, rabbitmq)", valueHint: "a/+/b,c" },
    schedule: { type: "string", description: "when the cron trigger runs it", valueHint: "*/5 * * * *" },
    description: { type: "string", description: "a text for people" },
    watch: { type: "boolean", description: "deploy again whenever a file changes", alias: "w" },
  },
  async run(args, context, argv) {
    const environment = readRepeated(argv, "--env", "-e");
    const options = withoutUndefined({ topics: args.topics, schedule: args.schedule });
    const asked: Partial<FunctionSettings> = withoutUndefined({
      runtime: args.runtime as Runtime | undefined,
      handler: args.handler,
      style: args.style as HandlerStyle | undefined,
      description: args.description,
      timeoutMs: readDurationMs(args.timeout, "--timeout"),
      memoryMb: readNumber(args.memory, "--memory"),
      ...(Object.keys(options).length > 0 && { options }),
      ...(environment.length > 0 && { environment: readPairs(environment, "=", "--env") }),
    });
    const limit = readNumber(args.concurrency, "--concurrency");
    const once = async () => {
      const startedAt = performance.now();
      const archive = await context.archive(args.path);
      const deployed = await upload(context, args.space, args.name, archive, asked, limit);
      report(context, deployed, archive, performance.now() - startedAt);
      return deployed;
    };
    const deployed = await once();
    if (args.watch) {
      context.terminal.note(`Watching ${args.path}; Ctrl-C ends it`);
      await context.watch(args.path, async () => {
        await once().catch((error: Error) => context.terminal.note(`Not deployed: ${error.message}`));
      });
    }
    return deployed.status === "Failed" ? exitCodes.refused : exitCodes.ok;
  },
});

async function upload(
  { client, terminal, signal }: Context,
  space: string,
  name: string,
  archive: Archive,
  asked: Partial<FunctionSettings>,
  limit: number | undefined,
): Promise<FunctionView> {
  const existing = await client.functions.get(space, name).catch((error) => {
    if (error instanceof ClientError && error.code === "function_not_found") return undefined;
    throw error;
  });
  const settings = { ...asked };
  if (limit !== undefined)
    settings.concurrency = { perInstance: 1, prestart: 0, ...existing?.settings.concurrency, limit };
  if (!existing) {
    const guess = guessHandler(archive.names, archive.read);
    const { runtime = guess?.runtime, handler = guess?.handler, style = guess?.style } = settings;
    if (!runtime || !handler)
      throw new UsageError("Neither index.js nor handler.py is there to tell what it is: give --runtime and --handler");
    await client.functions.create(space, { ...settings, name, runtime, handler, ...(style && { style }) });
  } else if (Object.keys(settings).length > 0) await client.functions.patch(space, name, settings);
  const size = archive.bytes.length;
  const onProgress = (sent: number) => terminal.progress(toUploadLine(sent, size));
  let now = await client.functions
    .putCode(space, name, archive.bytes, terminal.watched ? onProgress : undefined)
    .catch(async (error) => {
      // A function that was made for code which is refused would only be in the way.
      if (!existing) await client.functions.delete(space, name).catch(() => {});
      throw error;
    });
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (["Pending", "Building"].includes(now.status) && performance.now() < deadline && !signal.aborted) {
    terminal.progress(`${now.status} …`);
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    now = await client.functions.get(space, name);
  }
  return now;
}

function report({ terminal, url }: Context, deployed: FunctionView, archive: Archive, ms: number): void {
  if (terminal.json) {
    terminal.printJson(deployed);
    return;
  }
  const { name, space, status, settings, code } = deployed;
  const state = status === "Running" ? terminal.style("green", status) : terminal.style("red", status);
  terminal.print(
    `${terminal.style("bold", name)} ${state}: version ${code?.number ?? "?"}, ${settings.runtime}, ${settings.handler}, ` +
      `${archive.files} file${archive.files === 1 ? "" : "s"}, ${toBytes(archive.bytes.length)}, ${toDuration(ms)}`,
  );
  for (const warning of deployed.warnings ?? []) terminal.note(terminal.style("yellow", `Warning: ${warning}`));
  terminal.note(`Try: fnbus invoke ${name}${space === "default" ? "" : ` --space ${space}`} -d '{}'`);
  terminal.note(`or   POST ${url}/spaces/${space}/functions/${name}/invoke`);
}

const withoutUndefined = <T extends object>(value: { [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;
