import { endStates, errorRow, type InvocationView } from "@fnbus/contract";
import type { Context } from "../command.ts";
import { exitCodes } from "../core/exit-codes.ts";
import { toDuration } from "../core/text.ts";

/** One question waits at most so long; then the next is asked. */
const ASK_SECONDS = 20;

/** Waits for an invocation's end, prints its result, and resolves with the exit code that its end means. */
export async function waitForEnd(
  { client, terminal, signal }: Context,
  space: string,
  id: string,
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<number> {
  const startedAt = performance.now();
  let view = await client.invocations.get(space, id);
  while (!isEnded(view) && !signal.aborted) {
    const leftMs = timeoutMs - (performance.now() - startedAt);
    if (leftMs <= 0) break;
    terminal.progress(`${view.state} … ${toDuration(performance.now() - startedAt)}`);
    view = await client.invocations.get(space, id, Math.max(1, Math.min(ASK_SECONDS, Math.ceil(leftMs / 1000))));
  }
  if (terminal.json) terminal.printJson(view);
  else if (view.result && view.result.statusCode > 0)
    await terminal.printBytes((await client.invocations.result(space, id)).body);
  terminal.note(
    `${view.result?.bytes ? "\n" : ""}${id} ${view.state}${view.errorCode ? `: ${view.errorMessage ?? view.errorCode}` : ""}`,
  );
  return toEndCode(view);
}

export const isEnded = ({ state }: InvocationView): boolean => (endStates as readonly string[]).includes(state);

/** What an end means for a script (I9): the function failed, or the platform gave it up. */
function toEndCode({ state, errorCode }: InvocationView): number {
  if (state === "succeeded") return exitCodes.ok;
  if (state === "cancelled") return exitCodes.refused;
  const isFunctions = errorCode !== undefined && errorRow(errorCode).side === "function";
  return isFunctions ? exitCodes.function : exitCodes.platform;
}
