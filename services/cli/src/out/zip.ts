import { buffer } from "node:stream/consumers";
import { type Entry, fromBuffer, type ZipFile } from "yauzl";
import { UsageError } from "../core/exit-codes.ts";

/** A larger file is not read for a guess at its handler. */
const MAX_READ_BYTES = 1024 * 1024;
const isCode = (name: string): boolean => /^[^/]+\.(js|mjs|cjs|py)$/.test(name);

/** What a ready archive holds: how many files, and the texts of the code at its top. Throws UsageError for what is none. */
export async function readZip(path: string, bytes: Buffer): Promise<{ files: number; texts: Map<string, string> }> {
  const texts = new Map<string, string>();
  let files = 0;
  try {
    const zip = await open(bytes);
    for await (const entry of entriesOf(zip)) {
      if (entry.fileName.endsWith("/")) continue;
      files += 1;
      if (isCode(entry.fileName) && entry.uncompressedSize <= MAX_READ_BYTES)
        texts.set(entry.fileName, (await readEntry(zip, entry)).toString("utf8"));
    }
  } catch (error) {
    throw new UsageError(`${path} cannot be read as a ZIP archive: ${(error as Error).message}`);
  }
  return { files, texts };
}

const open = (bytes: Buffer): Promise<ZipFile> =>
  new Promise((resolve, reject) => {
    fromBuffer(bytes, { lazyEntries: true }, (error, zip) => (error ? reject(error) : resolve(zip)));
  });

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      zip
        .once("entry", resolve)
        .once("end", () => resolve(undefined))
        .once("error", reject)
        .readEntry();
    });
    zip.removeAllListeners();
    if (!entry) return;
    yield entry;
  }
}

const readEntry = (zip: ZipFile, entry: Entry): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : buffer(stream).then(resolve, reject)));
  });
