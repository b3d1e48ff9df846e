import { buffer } from "node:stream/consumers";
import { ZipFile } from "yazl";

/** A ZIP archive of texts. */
export function makeZip(files: Record<string, string>, modes: Record<string, number> = {}): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, text] of Object.entries(files))
    zip.addBuffer(Buffer.from(text), name, { mode: modes[name] ?? 0o100644 });
  zip.end();
  return buffer(zip.outputStream);
}
