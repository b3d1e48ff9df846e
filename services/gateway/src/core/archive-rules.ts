import { FnbusError, limits } from "@fnbus/contract";

/** One entry of an archive's directory, as it says of itself. */
export interface ArchiveEntry {
  name: string;
  packedBytes: number;
  unpackedBytes: number;
  /** Unix mode where the archive has one, else 0. */
  mode: number;
}

const KIND_MASK = 0o170000;
const SYMLINK = 0o120000;
const DIRECTORY = 0o040000;
const FILE = 0o100000;
/** Deflate cannot do better than 1032:1; text packs to about 10:1. Small entries are let be. */
const MAX_RATIO = 200;
const RATIO_FROM_BYTES = 1024 * 1024;
const NAME_BYTES = 1024;

/** Refuses an archive by its directory, before a byte is unpacked. Throws `zip_path_unsafe`, `zip_symlink`, `zip_too_large`. */
export function createArchiveRules(): { check(entry: ArchiveEntry): void } {
  let files = 0;
  let bytes = 0;
  return {
    check(entry) {
      checkPath(entry.name);
      checkKind(entry);
      files++;
      bytes += entry.unpackedBytes;
      if (files > limits.codeFiles)
        throw new FnbusError("zip_too_large", `more than ${limits.codeFiles} files`, {
          details: { limitFiles: limits.codeFiles },
        });
      const isBomb = entry.unpackedBytes > RATIO_FROM_BYTES && entry.unpackedBytes > entry.packedBytes * MAX_RATIO;
      if (bytes > limits.codeUnpackedBytes || isBomb)
        throw new FnbusError(
          "zip_too_large",
          isBomb ? `${quote(entry.name)} is packed more than ${MAX_RATIO}:1` : undefined,
          {
            details: { limitBytes: limits.codeUnpackedBytes },
          },
        );
    },
  };
}

/** Throws `zip_path_unsafe`. Used for inline sources too. */
export function checkPath(name: string): void {
  const isUnsafe =
    name === "" ||
    name.startsWith("/") ||
    name.endsWith("/") ||
    /^[a-zA-Z]:/.test(name) ||
    name.includes("\\") ||
    hasControls(name) ||
    name.split("/").some((part) => part === ".." || part === ".") ||
    Buffer.byteLength(name) > NAME_BYTES;
  if (isUnsafe) throw new FnbusError("zip_path_unsafe", `the path ${quote(name)} is not allowed`);
}

function checkKind({ name, mode }: ArchiveEntry): void {
  const kind = mode & KIND_MASK;
  if (kind === SYMLINK) throw new FnbusError("zip_symlink", `${quote(name)} is a symbolic link`);
  if (kind !== 0 && kind !== FILE && kind !== DIRECTORY)
    throw new FnbusError("zip_path_unsafe", `${quote(name)} is neither file nor folder`);
}

const hasControls = (text: string): boolean => {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 32 || text.charCodeAt(at) === 127) return true;
  return false;
};
const quote = (name: string): string => JSON.stringify(name.slice(0, 120));
