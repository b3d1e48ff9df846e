import { FnbusError, type HandlerStyle, type Runtime } from "@fnbus/contract";

/** What the archive holds, as far as handlers are concerned. `textOf` gives a file's text where it was read. */
export interface CodeFiles {
  names: readonly string[];
  textOf(name: string): string | undefined;
}

export interface Entrypoint {
  runtime: Runtime;
  handler: string;
  style: HandlerStyle;
}

const extensions: Record<Runtime, readonly string[]> = { nodejs: [".mjs", ".js", ".cjs"], python: [".py"] };
/** Names of the file that a folder is started by, in the order they are looked for. */
const stems = ["index", "handler", "main", "app"];
const handlerPattern = /^(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./-]*\.[A-Za-z_$][A-Za-z0-9_$]*$/;

/** Files that may hold the handler: these are worth reading. */
export const isHandlerFile = (name: string): boolean =>
  !name.includes("/") &&
  stems.some((stem) =>
    Object.values(extensions)
      .flat()
      .some((end) => name === stem + end),
  );

/** `given`: what the caller said. The rest is read from the code. Throws `runtime_unknown`, `handler_invalid`, `handler_missing`. */
export function toEntrypoint(given: Partial<Entrypoint>, files: CodeFiles): Entrypoint {
  if (given.handler !== undefined) {
    const runtime = given.runtime ?? runtimeOf(given.handler, files);
    checkHandler(runtime, given.handler, files);
    return { runtime, handler: given.handler, style: given.style ?? styleOf(given.handler) };
  }
  for (const runtime of given.runtime === undefined ? (["nodejs", "python"] as const) : [given.runtime]) {
    for (const stem of stems) {
      const file = extensions[runtime].map((end) => stem + end).find((name) => files.names.includes(name));
      if (file === undefined) continue;
      const isRequest =
        given.style === "request" || (given.style === undefined && hasHandle(runtime, files.textOf(file)));
      return {
        runtime,
        handler: `${stem}.${isRequest ? "handle" : "handler"}`,
        style: isRequest ? "request" : "event",
      };
    }
  }
  throw new FnbusError("handler_missing", "no file index, handler, main or app was found", {
    details: { lookedFor: stems.flatMap((stem) => [`${stem}.js`, `${stem}.py`]) },
  });
}

/** Of a function without code yet. A handler of "" is read from the code when it comes. Throws as `toEntrypoint`. */
export function toPlannedEntrypoint({ runtime = "nodejs", handler = "", style }: Partial<Entrypoint>): Entrypoint {
  if (!(runtime in extensions)) throw new FnbusError("runtime_unknown", `unknown runtime ${JSON.stringify(runtime)}`);
  if (handler !== "" && !isHandlerName(handler)) throw new FnbusError("handler_invalid");
  return { runtime, handler, style: style ?? styleOf(handler) };
}

/** Whether the handler's file is there. Whether it exports the function is asked of an executor, which can load it. */
export function checkHandler(runtime: Runtime, handler: string, files: CodeFiles): void {
  if (!(runtime in extensions)) throw new FnbusError("runtime_unknown", `unknown runtime ${JSON.stringify(runtime)}`);
  if (!isHandlerName(handler)) throw new FnbusError("handler_invalid");
  const stem = stemOf(handler);
  const wanted = extensions[runtime].map((end) => stem + end);
  if (!wanted.some((name) => files.names.includes(name)))
    throw new FnbusError("handler_missing", `the code has no ${wanted.join(" or ")}`, {
      details: { lookedFor: wanted },
    });
}

const isHandlerName = (handler: string): boolean => handlerPattern.test(handler);

const stemOf = (handler: string): string => handler.slice(0, handler.lastIndexOf("."));
const styleOf = (handler: string): HandlerStyle => (handler.endsWith(".handle") ? "request" : "event");

function runtimeOf(handler: string, files: CodeFiles): Runtime {
  const stem = stemOf(handler);
  return extensions.python.some((end) => files.names.includes(stem + end)) ? "python" : "nodejs";
}

/** A guess for who said nothing: does the file define `handle`, and no `handler`? */
function hasHandle(runtime: Runtime, text = ""): boolean {
  const defines = (name: string) =>
    runtime === "python"
      ? new RegExp(`^(async\\s+)?def\\s+${name}\\b`, "m").test(text)
      : new RegExp(`exports\\.${name}\\b|export\\s+(async\\s+)?(function\\s*|const\\s+|let\\s+)${name}\\b`).test(text);
  return defines("handle") && !defines("handler");
}
