import { FnbusError, type InvocationView } from "@fnbus/contract";
import type { LiveInvocation } from "../core/index.ts";
import { isUnreadable, toMeta } from "../envelopes/frames.ts";
import type { FoundInvocation } from "../projection/queries.ts";
import { isLive, toLiveView } from "./live-view.ts";
import type { Sources } from "./sources.ts";

export type Found =
  | ({ kind: "ended" } & FoundInvocation)
  | { kind: "live"; view: InvocationView; live: LiveInvocation };

/**
 * One invocation of a space, wherever it stands: in the core while unfinished, in the projection afterwards. Before it
 * is unknown, all that stood in the logs at the time of asking has been read (L29). Of another space: not found.
 * Throws `invocation_not_found`, `ledger_unavailable` where the logs cannot be read in time.
 */
export async function findInvocation(sources: Sources, space: string, id: string): Promise<Found> {
  const found = (await findNow(sources, id)) ?? (await findAfterCatchingUp(sources, id));
  if (found?.view.space !== space) throw new FnbusError("invocation_not_found");
  return found;
}

/** Unfinished ones as views; one whose envelope cannot be read is about to end and is left out. */
export async function viewOf(sources: Sources, live: LiveInvocation): Promise<InvocationView | undefined> {
  try {
    const meta = toMeta(await sources.frames.read(live.id, live.place));
    const history = live.attempts === 0 ? [] : await sources.projection.ask("attempts", live.id);
    return toLiveView(live, meta, history);
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

async function findNow(sources: Sources, id: string): Promise<Found | undefined> {
  return (await findLive(sources, id)) ?? findEnded(sources, id);
}

async function findLive(sources: Sources, id: string): Promise<Found | undefined> {
  const known = sources.view.find(id);
  const view = known && isLive(known) ? await viewOf(sources, known) : undefined;
  return view && { kind: "live", view, live: known as LiveInvocation };
}

async function findEnded(sources: Sources, id: string): Promise<Found | undefined> {
  const row = await sources.projection.ask("get", id);
  return row && { kind: "ended", ...row };
}

/** What the core has read and no longer holds has ended, perhaps just now: its end is waited for, wherever the log ended before. */
async function findAfterCatchingUp(sources: Sources, id: string): Promise<Found | undefined> {
  const late = () => new FnbusError("ledger_unavailable", "the logs are still being read");
  if (!(await sources.logsRead())) throw late();
  const live = await findLive(sources, id);
  if (live) return live;
  if (!(await sources.projected())) throw late();
  return findEnded(sources, id);
}
