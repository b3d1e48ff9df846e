/** From "file.function" to the function itself. */
import { existsSync } from "node:fs";
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
  if (!modules.has(name)) modules.set(name, await import(pathToFileURL(findFile(codeRoot, handler)).href));
  const module = modules.get(name);
  const found = module[exported] ?? module.default?.[exported];
  if (typeof found !== "function") {
    throw new MissingHandler(`${name} exports no function ${exported}`, {
      export: exported,
      exports: Object.keys(module.default ?? module).slice(0, 50),
    });
  }
  return found;
}
