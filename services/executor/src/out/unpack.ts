import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join, normalize, sep } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { FnbusError, limits } from "@fnbus/contract";
import { type Entry, fromBuffer, type ZipFile } from "yauzl";

const FILE_TYPE_BITS = 0o170000;
const SYMLINK = 0o120000;
const FOLDER_MODE = 0o755;
const FILE_MODE = 0o644;
const openZip = promisify<Buffer, { lazyEntries: true }, ZipFile>(fromBuffer);

/**
 * Unpacks a ZIP archive into an empty folder. Paths that leave it, links and bombs are refused here too, whatever the
 * gateway let in: throws `zip_invalid`, `zip_path_unsafe`, `zip_symlink`, `zip_too_large`.
 */
export async function unpack(archive: Uint8Array, folder: string): Promise<{ files: string[]; bytes: number }> {
  const files: string[] = [];
  let bytes = 0;
  try {
    const buffer = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
    const zip = await openZip(buffer, { lazyEntries: true });
    const openEntry = promisify<Entry, Readable>(zip.openReadStream.bind(zip));
    for await (const entry of entriesOf(zip)) {
      const name = toSafeName(entry);
      if (name.endsWith(sep)) continue;
      files.push(name);
      if (files.length > limits.codeFiles) throw new FnbusError("zip_too_large");
      const target = join(folder, name);
      await mkdir(dirname(target), { recursive: true, mode: FOLDER_MODE });
      await pipeline(
        await openEntry(entry),
        async function* (source: AsyncIterable<Buffer>) {
          for await (const chunk of source) {
            bytes += chunk.length;
            if (bytes > limits.codeUnpackedBytes) throw new FnbusError("zip_too_large");
            yield chunk;
          }
        },
        createWriteStream(target, { flags: "wx", mode: FILE_MODE }),
      );
    }
  } catch (thrown) {
    if (thrown instanceof FnbusError) throw thrown;
    throw new FnbusError("zip_invalid", (thrown as Error).message, { cause: thrown });
  }
  return { files, bytes };
}

/** One after the other, so that an archive is never read faster than it is written. */
async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const { promise, resolve, reject } = Promise.withResolvers<Entry | undefined>();
    zip.once("entry", resolve).once("end", resolve).once("error", reject);
    zip.readEntry();
    const entry = await promise;
    zip.removeAllListeners();
    if (!entry) return;
    yield entry;
  }
}

function toSafeName(entry: Entry): string {
  const mode = entry.externalFileAttributes >>> 16;
  if ((mode & FILE_TYPE_BITS) === SYMLINK) throw new FnbusError("zip_symlink");
  const name = normalize(entry.fileName);
  if (name.startsWith("..") || name.startsWith(sep) || name.includes("\0")) throw new FnbusError("zip_path_unsafe");
  return name;
}
