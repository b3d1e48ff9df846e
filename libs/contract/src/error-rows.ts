import type { ErrorRow } from "./errors.ts";

/** How rows of the error tables are written: by whose error it is. */
export const row = (
  status: number,
  side: ErrorRow["side"],
  retry: ErrorRow["retry"],
  title: string,
  fix: string,
): ErrorRow => ({
  status,
  side,
  retry,
  title,
  fix,
});
export const caller = (status: number, title: string, fix: string) => row(status, "caller", "no", title, fix);
export const later = (status: number, title: string, fix: string) => row(status, "platform", "later", title, fix);
export const user = (status: number, title: string, fix: string) => row(status, "function", "no", title, fix);
