import { FnbusError, type GiveUp, type InvocationView, type ListFilter, type LiveState } from "@fnbus/contract";
import type { LiveInvocation } from "../core/index.ts";
import { type Before, decodeCursor, encodeCursor, isNewer, toBefore } from "../projection/queries.ts";
import { viewOf } from "./find.ts";
import type { Sources } from "./sources.ts";

const PAGE_MAX = 1000;
const liveStates: readonly LiveState[] = ["queued", "running", "waiting"];

/**
 * One page, newest first: unfinished ones from the core, ended ones from the projection. The first page knows all that
 * stood in the logs when it was asked for; on any page, what is no longer unfinished has been projected (L29).
 * Throws `invalid_request`, `ledger_unavailable` where the logs cannot be read in time.
 */
export async function readPage(
  sources: Sources,
  filter: ListFilter,
): Promise<{ invocations: InvocationView[]; next?: string }> {
  const limit = Math.min(Math.max(1, Math.trunc(filter.limit)), PAGE_MAX);
  const before = filter.cursor === undefined ? undefined : decodeCursor(filter.cursor);
  if (filter.cursor !== undefined && !before) throw new FnbusError("invalid_request", "cursor is not one of ours");
  if (!before) await isRead(sources.caughtUp());
  // Unfinished ones are taken first, then all that had ended by then is waited for: what ends meanwhile is never missed.
  const live = newestLive(sources, filter, before, limit + 1);
  await isRead(sources.projected());
  const ended = await sources.projection.ask("list", { ...filter, limit: limit + 1 }, before);
  const known = new Set(ended.map((view) => view.id));
  const liveViews = await Promise.all(live.filter(({ id }) => !known.has(id)).map((one) => viewOf(sources, one)));
  const merged = [...ended, ...liveViews.filter((view) => view !== undefined)].sort((a, b) =>
    isNewer(toBefore(a), toBefore(b)) ? -1 : 1,
  );
  const invocations = merged.slice(0, limit);
  return merged.length > limit ? { invocations, next: encodeCursor(toBefore(invocations.at(-1)!)) } : { invocations };
}

async function isRead(reading: Promise<boolean>): Promise<void> {
  if (!(await reading)) throw new FnbusError("ledger_unavailable", "the logs are still being read");
}

/** Space and function are judged by the registry, so that no envelope is read for those that are not shown. */
function newestLive(
  { view, functionById }: Sources,
  filter: ListFilter,
  before: Before | undefined,
  limit: number,
): LiveInvocation[] {
  if (filter.states && !liveStates.some((state) => filter.states?.includes(state))) return [];
  if (filter.callback !== undefined) return [];
  const wanted = new Map<string, boolean>();
  const isWanted = (registryId: string): boolean => {
    const known = wanted.get(registryId);
    if (known !== undefined) return known;
    const definition = functionById(registryId)?.definition;
    const answer =
      definition?.space === filter.space && (filter.function === undefined || definition.name === filter.function);
    wanted.set(registryId, answer);
    return answer;
  };
  const newest: LiveInvocation[] = [];
  for (const live of view.unfinished()) {
    if (filter.states && !filter.states.includes(live.state)) continue;
    if (filter.since !== undefined && live.acceptedAt < filter.since) continue;
    if (filter.until !== undefined && live.acceptedAt >= filter.until) continue;
    if (!isWanted(live.registryId)) continue;
    if (before && !isNewer(before, live)) continue;
    newest.push(live);
    if (newest.length >= limit * 4) keepNewest(newest, limit);
  }
  keepNewest(newest, limit);
  return newest;
}

function keepNewest(list: LiveInvocation[], limit: number): void {
  list.sort((a, b) => (isNewer(a, b) ? -1 : 1));
  list.length = Math.min(list.length, limit);
}

/** One page of what was given up, newest first. */
export async function readGiveUps(
  sources: Sources,
  limit: number,
  before: number | undefined,
): Promise<{ giveUps: GiveUp[]; next?: number }> {
  const most = Math.min(Math.max(1, Math.trunc(limit)), PAGE_MAX);
  const found = await sources.projection.ask("giveUps", most + 1, before);
  const shown = found.slice(0, most);
  const giveUps = shown.map(({ giveUp }) => giveUp);
  return found.length > most ? { giveUps, next: shown.at(-1)!.number } : { giveUps };
}
