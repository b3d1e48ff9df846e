/** From "file.function" to the function itself. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const ENDINGS = [".mjs", ".js", ".cjs", ".mts", ".ts", ".cts"];

/** Thrown for a file or an export that is not there. */
export class MissingHandler extends Error {
  constructor(message, details) {
    super(message);
    this.details = details;
  }
}

const modules = new Map();
const require = createRequire(import.meta.url);

/** `require` is quicker than `import`, for ES modules too; those that await at their top level it refuses without running them. */
function loadFile(path) {
  if (!path.endsWith("js") || path.endsWith(".mjs")) return import(pathToFileURL(path).href);
  try {
    return require(path);
  } catch (error) {
    if (error.code !== "ERR_REQUIRE_ASYNC_MODULE") throw error;
    return import(pathToFileURL(path).href);
  }
}

/** The file that a handler names. Throws MissingHandler. */
export function findFile(codeRoot, handler) {
  const name = handler.slice(0, handler.lastIndexOf("."));
  const ending = ENDINGS.find((candidate) => existsSync(join(codeRoot, name + candidate)));
  if (ending === undefined) throw new MissingHandler(`no file ${name}.js, .mjs or .cjs in the code`, { file: name });
  return join(codeRoot, name + ending);
}

/** Imports the handler's file (CommonJS or ES module) once and gives its export. Throws MissingHandler, or what the import threw. */
export async function loadHandler(codeRoot, handler) {
  const dot = handler.lastIndexOf(".");
  const name = handler.slice(0, dot);
  const exported = handler.slice(dot + 1);
  if (!modules.has(name)) modules.set(name, await loadFile(findFile(codeRoot, handler)));
  const module = modules.get(name);
  const found = module?.[exported] ?? module?.default?.[exported];
  if (typeof found !== "function") {
    throw new MissingHandler(`${name} exports no function ${exported}`, {
      export: exported,
      exports: Object.keys(module?.default ?? module ?? {}).slice(0, 50),
    });
  }
  return found;
}
