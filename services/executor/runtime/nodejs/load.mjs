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

/** Imports the handler's file (CommonJS or ES module) once and gives its export. Throws MissingHandler, or what the import threw. */
export async function loadHandler(codeRoot, handler) {
  const dot = handler.lastIndexOf(".");
  const name = handler.slice(0, dot);
  const exported = handler.slice(dot + 1);
  let file = name;
  if (!modules.has(name)) {
    const ending = ENDINGS.find((candidate) => existsSync(join(codeRoot, name + candidate)));
    if (ending === undefined) {
      throw new MissingHandler(`no file ${name}.js, .mjs or .cjs in the code`, { file: name });
    }
    file = join(codeRoot, name + ending);
    modules.set(name, await import(pathToFileURL(file).href));
  }
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
