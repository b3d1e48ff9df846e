import type { HandlerStyle, Runtime } from "@fnbus/contract";

export interface Guess {
  runtime: Runtime;
  handler: string;
  style: HandlerStyle;
}

/** Files that are looked at first, best first. */
const mainFiles = [
  ...["index.js", "index.mjs", "index.cjs", "handler.js", "handler.mjs", "main.js", "main.mjs"],
  ...["handler.py", "main.py", "index.py", "app.py"],
];
const runtimes: Record<string, Runtime> = { js: "nodejs", mjs: "nodejs", cjs: "nodejs", py: "python" };

/**
 * Runtime, handler and its style from the names and texts of the files at the top of the code, or undefined. A function
 * called `handle` takes requests (wire-compatibility.md 7.3), one called `handler` takes events (4.1).
 */
export function guessHandler(names: readonly string[], read: (name: string) => string): Guess | undefined {
  const codes = names.filter((name) => runtimes[endOf(name)] !== undefined);
  const file = mainFiles.find((name) => codes.includes(name)) ?? (codes.length === 1 ? codes[0] : undefined);
  if (file === undefined) return undefined;
  const runtime = runtimes[endOf(file)]!;
  const name = findHandler(runtime, read(file));
  const style = name === "handle" ? "request" : "event";
  return { runtime, handler: `${file.slice(0, file.lastIndexOf("."))}.${name}`, style };
}

const endOf = (name: string): string => name.slice(name.lastIndexOf(".") + 1);

function findHandler(runtime: Runtime, source: string): "handler" | "handle" {
  const declared =
    runtime === "python"
      ? /^(?:async\s+)?def\s+(handler|handle)\s*\(/m.exec(source)
      : /(?:exports\.|export\s+(?:async\s+)?(?:function|const|let)\s+|export\s*\{[^}]*\b)(handler|handle)\b/.exec(
          source,
        );
  return (declared?.[1] as "handler" | "handle" | undefined) ?? "handler";
}
