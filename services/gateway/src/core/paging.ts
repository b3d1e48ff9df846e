import { FnbusError } from "@fnbus/contract";

/** SmartWorks' paging of a sorted list of names (wire-compatibility.md 7.2). */
export interface NamePage {
  names: string[];
  next: string;
  previous: string;
}

const PAGE = 50;
const MAX_PAGE = 1000;

/** Cursors are opaque texts: the direction and the name that the page borders on. Throws `invalid_request`. */
export function toNamePage(sorted: readonly string[], cursor = "", limit = PAGE): NamePage {
  const size = Math.min(Math.max(1, limit), MAX_PAGE);
  const { direction, name } = fromCursor(cursor);
  let start = 0;
  if (direction === "n") start = firstAfter(sorted, name);
  if (direction === "p") start = Math.max(0, sorted.findIndex((one) => one >= name) - size);
  const names = sorted.slice(start, start + size);
  return {
    names,
    next: start + size < sorted.length && names.length > 0 ? toCursor("n", names.at(-1)!) : "",
    previous: start > 0 && names.length > 0 ? toCursor("p", names[0]!) : "",
  };
}

function firstAfter(sorted: readonly string[], name: string): number {
  const at = sorted.findIndex((one) => one > name);
  return at === -1 ? sorted.length : at;
}

const toCursor = (direction: string, name: string): string => Buffer.from(`${direction}:${name}`).toString("base64url");

function fromCursor(cursor: string): { direction: string; name: string } {
  if (cursor === "") return { direction: "", name: "" };
  const match = /^([np]):(.{1,128})$/.exec(Buffer.from(cursor, "base64url").toString("utf8"));
  if (!match) throw new FnbusError("invalid_request", "the cursor is none of ours", { details: { field: "cursor" } });
  return { direction: match[1]!, name: match[2]! };
}
