import { liveStateOf, placeOf } from "./lifecycle.ts";
import { NONE, rowFlag } from "./rows.ts";
import type { State } from "./state.ts";
import type { CoreView, LiveInvocation } from "./types.ts";

/** Packs of OUTCOMES that may wait for INVOCATIONS before their reader is held back (I11). */
const HELD_PACKS = 64;

/** Reading the state, for look-up, announcements and metrics. */
export function createView(state: State): CoreView {
  const { owner, rows, queues } = state;
  return {
    get phase() {
      return owner.phase;
    },
    get epoch() {
      return owner.phase === "following" ? state.lastEpoch : owner.epoch;
    },
    get pendingRecords() {
      return owner.pending.length + owner.inFlight.length;
    },
    wants: () => ({
      invocations: state.held.length > 0 || state.next.outcomes > state.logs.outcomes.last,
      outcomes: state.held.length < HELD_PACKS,
    }),
    next: () => ({ ...state.next }),
    find(id) {
      const row = rows.find(id);
      if (row >= 0) return toInvocation(state, row);
      const ended = state.kept.find(id, state.stamp) ?? state.recent.find(id, state.stamp);
      return ended && { id, state: ended.state, endedAt: ended.endedAt };
    },
    *unfinished() {
      for (const row of rows.all()) yield toInvocation(state, row);
    },
    queues: () =>
      queues.all
        .filter(({ queued, waiting, running }) => queued + waiting + running > 0)
        .map(({ registryId, queued, waiting, running, head }) => {
          const oldestAt = head === NONE ? 0 : rows.acceptedAt[head]!;
          return { registryId, queued, waiting, running, oldestAt };
        }),
    totals: () => ({
      accepted: state.totals.accepted,
      unfinished: rows.count,
      ended: { ...state.totals.ended },
      dropped: state.totals.dropped,
    }),
    mark: (source) => state.marks.get(source),
    fill: () => ({
      backlog: backlogOf(state),
      keys: state.kept.count / state.limits.keptIds,
      marks: state.marks.count / state.limits.marks,
      fullFunctions: queues.all
        .filter(({ rules, queued, waiting, running }) => rules && queued + waiting + running >= rules.backlog)
        .map(({ registryId }) => registryId),
    }),
    executors: () =>
      [...owner.executors.values()].map(({ name, announcement, held, heardAt, gone }) => ({
        executor: name,
        pool: announcement.pool,
        capacity: announcement.capacity,
        held: held.size,
        heardAt,
        gone,
      })),
    space: () => ({ unfinishedBytes: state.unfinishedBytes, floor: state.live.floor() }),
  };
}

/** The fullest of what a backlog fills (L23). */
function backlogOf({ rows, limits, fill, unfinishedBytes, recent }: State): number {
  const bytes = fill && fill.invocations.maxBytes > 0 ? unfinishedBytes / fill.invocations.maxBytes : 0;
  return Math.max(rows.count / limits.unfinished, recent.count / limits.recentIds, bytes);
}

function toInvocation(state: State, row: number): LiveInvocation {
  const { rows, owner } = state;
  const executor = owner.running.get(row)?.executor;
  return {
    id: rows.id(row),
    registryId: state.queues.ofRow(row).registryId,
    place: placeOf(state, row),
    bytes: rows.bytes[row]!,
    state: liveStateOf(state, row),
    attempts: rows.attempt(row) - 1,
    lost: rows.lost[row]!,
    acceptedAt: rows.acceptedAt[row]!,
    nextAt: rows.delay[row] === 0 ? 0 : rows.nextAt(row),
    deadlineAt: rows.deadlineAt(row),
    cancelAsked: rows.has(row, rowFlag.cancelled),
    ...(executor === undefined ? {} : { executor }),
  };
}
