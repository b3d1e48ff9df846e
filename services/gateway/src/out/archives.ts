import { buffer } from "node:stream/consumers";
import { FnbusError, limits } from "@fnbus/contract";
import { type Entry, fromBuffer, type ZipFile } from "yauzl";
import { ZipFile as ZipWriter } from "yazl";
import { createArchiveRules } from "../core/archive-rules.ts";
import { type CodeFiles, isHandlerFile } from "../core/handler.ts";

/** Handler files are read for a guess at style and runtime, up to this size. */
const MAX_READ_BYTES = 1024 * 1024;
/** Files of one source made at one time: the archive of the same source has the same bytes. */
const FIXED_TIME = new Date(Date.UTC(2000, 0, 1));

export interface Archive extends CodeFiles {
  /** A file's bytes as stored, or undefined. */
  readFile(name: string): Promise<Buffer | undefined>;
}

/**
 * Reads an archive's directory under the rules, and unpacks nothing but its handler files.
 * Throws `code_missing`, `zip_invalid`, `zip_path_unsafe`, `zip_symlink`, `zip_too_large`.
 */
export async function readArchive(bytes: Buffer): Promise<Archive> {
  if (bytes.length === 0) throw new FnbusError("code_missing");
  if (bytes.length > limits.codeArchiveBytes)
    throw new FnbusError("zip_too_large", undefined, { details: { limitBytes: limits.codeArchiveBytes } });
  const rules = createArchiveRules();
  const files = new Map<string, Entry>();
  const texts = new Map<string, string>();
  const zip = await openZip(bytes);
  for await (const entry of entriesOf(zip)) {
    const isFolder = entry.fileName.endsWith("/");
    rules.check({
      name: isFolder ? entry.fileName.slice(0, -1) : entry.fileName,
      packedBytes: entry.compressedSize,
      unpackedBytes: entry.uncompressedSize,
      mode: entry.externalFileAttributes >>> 16,
    });
    if (isFolder) continue;
    if (files.has(entry.fileName))
      throw new FnbusError("zip_invalid", `two files named ${JSON.stringify(entry.fileName)}`);
    if ((entry.generalPurposeBitFlag & 1) !== 0) throw new FnbusError("zip_invalid", "the archive is encrypted");
    files.set(entry.fileName, entry);
    if (isHandlerFile(entry.fileName)) texts.set(entry.fileName, (await readEntry(zip, entry)).toString("utf8"));
  }
  if (files.size === 0) throw new FnbusError("code_missing", "the archive holds no file");
  return {
    names: [...files.keys()],
    textOf: (name) => texts.get(name),
    async readFile(name) {
      const entry = files.get(name);
      return entry ? readEntry(zip, entry) : undefined;
    },
  };
}

/** Makes an archive of inline files. */
export function createArchive(files: ReadonlyMap<string, Buffer>): Promise<Buffer> {
  const zip = new ZipWriter();
  for (const [name, bytes] of files) zip.addBuffer(bytes, name, { mtime: FIXED_TIME, mode: 0o100644 });
  zip.end();
  return buffer(zip.outputStream);
}

const damaged = (cause: unknown): FnbusError => new FnbusError("zip_invalid", undefined, { cause });

function openZip(bytes: Buffer): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    // Our own rules judge names, so that each fault has its own code; sizes are checked while unpacking.
    fromBuffer(
      bytes,
      { lazyEntries: true, decodeStrings: true, strictFileNames: false, validateEntrySizes: true },
      (error, zip) => (error ? reject(toZipError(error)) : resolve(zip)),
    );
  });
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      const onEntry = (found: Entry) => settle(() => resolve(found));
      const onEnd = () => settle(() => resolve(undefined));
      const onError = (error: Error) => settle(() => reject(toZipError(error)));
      const settle = (act: () => void) => {
        zip.off("entry", onEntry).off("end", onEnd).off("error", onError);
        act();
      };
      zip.on("entry", onEntry).on("end", onEnd).on("error", onError);
      zip.readEntry();
    });
    if (!entry) return;
    yield entry;
  }
}

function readEntry(zip: ZipFile, entry: Entry): Promise<Buffer> {
  if (entry.uncompressedSize > MAX_READ_BYTES) return Promise.resolve(Buffer.alloc(0));
  return new Promise<Buffer>((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) return reject(damaged(error));
      buffer(stream).then(resolve, (cause) => reject(damaged(cause)));
    });
  });
}

/** yauzl refuses names that leave the folder itself, in its own words. */
function toZipError(error: Error): FnbusError {
  return /relative path|absolute path|characters in fileName/i.test(error.message)
    ? new FnbusError("zip_path_unsafe", error.message)
    : damaged(error);
}
