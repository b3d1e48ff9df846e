import { FnbusError, limits } from "@fnbus/contract";
import { checkPath } from "./archive-rules.ts";

/** Code as a caller sends it. */
export type Source = { zip: Buffer } | { files: ReadonlyMap<string, Buffer> };

/** Inline source: names to texts. Throws `zip_path_unsafe`, `zip_too_large`, `code_missing`. */
export function toFiles(texts: Readonly<Record<string, string>>): Source {
  const files = new Map<string, Buffer>();
  let bytes = 0;
  for (const [name, text] of Object.entries(texts)) {
    checkPath(name);
    files.set(name, Buffer.from(text, "utf8"));
    bytes += files.get(name)!.length;
  }
  if (files.size === 0) throw new FnbusError("code_missing");
  if (files.size > limits.codeFiles || bytes > limits.codeUnpackedBytes) throw new FnbusError("zip_too_large");
  return { files };
}

/** No two parts of it may match the same text: on a long text that fails, they would be tried in every combination. */
const base64 = /^[A-Za-z0-9+/\s]*(?:=\s*){0,2}$/;

/** Throws `zip_invalid` where the text is not base64, `code_missing` where it is empty. */
export function fromBase64(text: string): Buffer {
  if (!base64.test(text)) throw new FnbusError("zip_invalid", "the code is not base64");
  const bytes = Buffer.from(text, "base64");
  if (bytes.length === 0) throw new FnbusError("code_missing");
  return bytes;
}

/** Whether bytes are a ZIP archive: a local header, or the end record of an empty one. */
export const isZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && ((bytes[2] === 3 && bytes[3] === 4) || (bytes[2] === 5 && bytes[3] === 6));
