import { FnbusError, MARKS_MAX } from "@fnbus/contract";
import type { Sources } from "./sources.ts";

const sourceHash = /^[0-9a-f]{32}$/;

/**
 * The marks of counting sources, null where none is kept. Both logs have been read to their ends at the time of asking
 * (L29): a source that goes on from an older mark would publish again what is kept already (L10).
 * Throws `invalid_request`, `ledger_unavailable` where the logs cannot be read in time.
 */
export async function readMarks(
  { view, logsRead }: Pick<Sources, "view" | "logsRead">,
  sources: unknown,
): Promise<(number | null)[]> {
  const isHash = (source: unknown): source is string => typeof source === "string" && sourceHash.test(source);
  if (!Array.isArray(sources) || sources.length > MARKS_MAX || !sources.every(isHash))
    throw new FnbusError("invalid_request", `sources is not a list of at most ${MARKS_MAX} source hashes`);
  if (!(await logsRead())) throw new FnbusError("ledger_unavailable", "the logs are still being read");
  return sources.map((source) => view.mark(source) ?? null);
}
