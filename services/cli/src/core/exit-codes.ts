import type { ErrorSide } from "@fnbus/contract";

/** What a script can tell from the exit code alone. README.md and --help have the same list. */
export const exitCodes = {
  ok: 0,
  /** The platform refused what was asked: credentials, conflict, something invalid. */
  refused: 1,
  /** Unknown command or option, missing argument. */
  usage: 2,
  /** The platform failed, or could not be reached. */
  platform: 3,
  /** The function failed: it threw, timed out, or answered 5xx. */
  function: 4,
  /** No such function, invocation, space or key. */
  notFound: 5,
} as const;

/** The exit code for an error of the platform's table (I9). */
export function toExitCode(error: { side: ErrorSide; status: number }): number {
  if (error.status === 404 || error.status === 410) return exitCodes.notFound;
  return { caller: exitCodes.refused, platform: exitCodes.platform, function: exitCodes.function }[error.side];
}

/** A mistake in how the command was called. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
