import { readFileSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { limits } from "@fnbus/contract";
import { ZipFile } from "yazl";
import type { Archive } from "../command.ts";
import { UsageError } from "../core/exit-codes.ts";
import { toBytes } from "../core/text.ts";
import { readZip } from "./zip.ts";

/** Never code: history, our own data, what the interpreter writes by itself. */
const leftOut = new Set([".git", ".fnbus", ".DS_Store", "__pycache__", ".venv"]);
/** The same code is the same archive, whenever it is packed. */
const NO_TIME = new Date(1980, 0, 1);

/** A folder, a file or a ready ZIP archive as what is uploaded. Throws UsageError where it is none, or over a limit. */
export async function readArchive(given: string): Promise<Archive> {
  const path = resolve(given);
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new UsageError(`No such file or folder: ${path}`);
  if (found.isFile() && path.endsWith(".zip")) {
    const bytes = await readFile(path);
    check(bytes.length, limits.codeArchiveBytes, "packed");
    const { files, texts } = await readZip(path, bytes);
    return { bytes, files, names: [...texts.keys()], read: (name) => texts.get(name)! };
  }
  const root = found.isDirectory() ? path : dirname(path);
  const files = found.isDirectory() ? await listFiles(path) : [path];
  if (files.length === 0) throw new UsageError(`${path} has no files`);
  const zip = new ZipFile();
  let unpacked = 0;
  for (const file of files) {
    const content = await readFile(file);
    unpacked += content.length;
    check(unpacked, limits.codeUnpackedBytes, "unpacked");
    const { mode } = await stat(file);
    zip.addBuffer(content, relative(root, file).split(sep).join("/"), { mtime: NO_TIME, mode });
  }
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  check(bytes.length, limits.codeArchiveBytes, "packed");
  const names = files.filter((file) => dirname(file) === root).map((file) => basename(file));
  return { bytes, files: files.length, names, read: (name) => readFileSync(join(root, name), "utf8") };
}

async function listFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (leftOut.has(entry.name)) continue;
    const path = join(folder, entry.name);
    // A link is followed to what it names: archives with links in them are refused.
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && (await stat(path)).isDirectory());
    if (isFolder) files.push(...(await listFiles(path)));
    else files.push(path);
    if (files.length > limits.codeFiles) throw new UsageError(`More than ${limits.codeFiles} files in ${folder}`);
  }
  return files;
}

function check(bytes: number, limitBytes: number, how: string): void {
  if (bytes > limitBytes) throw new UsageError(`The code is over ${toBytes(limitBytes)} ${how}`);
}
