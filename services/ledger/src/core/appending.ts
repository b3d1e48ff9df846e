import type { RecordDraft } from "./actions.ts";
import type { CoreEvent } from "./events.ts";
import { RECORD_BYTES } from "./hand-out.ts";
import { toQueue } from "./lifecycle.ts";
import { loseFence } from "./owning.ts";
import { applyPack } from "./records.ts";
import { rowFlag, rowState } from "./rows.ts";
import type { OutcomesEvent, State } from "./state.ts";

/** A pack that was surely not stored is repeated after this. */
const REPEAT_APPEND_MS = 100;

/** Sends the next pack, where none is in flight and all that was read is applied (L20: one publish in flight, fenced). */
export function pumpAppend(state: State): void {
  const { owner, now } = state;
  if (owner.phase === "following" || owner.phase === "reading" || state.held.length > 0) return;
  if (owner.append === "again" && now.mono >= owner.repeatAt) {
    sendPack(state);
    return;
  }
  if (owner.append !== "idle" || owner.pending.length === 0) return;
  let count = 0;
  let bytes = 0;
  while (count < owner.pending.length && count < state.limits.packEntries) {
    const size = bytesOf(owner.pending[count]!.draft);
    if (count > 0 && bytes + size > state.limits.packBytes) break;
    bytes += size;
    count++;
  }
  owner.inFlight = owner.pending.splice(0, count);
  sendPack(state);
}

function sendPack(state: State): void {
  const { owner } = state;
  owner.append = "flying";
  state.actions.push({
    do: "append",
    expected: state.lastOutcomes,
    head: { epoch: owner.epoch, partition: state.partition, applied: state.next.invocations - 1 },
    records: owner.inFlight.map(({ draft }) => draft),
  });
}

/** Acknowledged: our records are part of the log, and take effect. */
export function onAppended(state: State, { epoch, sequence }: Extract<CoreEvent, { type: "appended" }>): void {
  const { owner } = state;
  if (owner.append === "idle" || epoch !== owner.epoch || sequence <= state.lastOutcomes) return;
  settle(state, sequence);
}

/** Whether the pack just read is the one in flight. With one in flight and the fence, the next of our epoch is it. */
export function settleOwnPack(state: State, { sequence, head, records }: OutcomesEvent): boolean {
  const { owner } = state;
  if (owner.inFlight.length === 0 || head.epoch !== owner.epoch || sequence !== state.lastOutcomes + 1) return false;
  const [first] = records;
  if (first?.type === "epoch" && first.owner !== owner.name) return false;
  settle(state, sequence);
  return true;
}

function settle(state: State, sequence: number): void {
  const { owner } = state;
  const decisions = owner.inFlight;
  owner.inFlight = [];
  owner.append = "idle";
  for (const { draft } of decisions) owner.appendedBytes += bytesOf(draft);
  state.lastOutcomes = sequence;
  applyPack(state, sequence, owner.epoch, decisions);
}

/** No acknowledgement: what is decided stays decided, and the tail of the log says whether it was stored (L20). */
export function onAppendFailed(state: State, { epoch, how }: Extract<CoreEvent, { type: "append-failed" }>): void {
  const { owner } = state;
  if (owner.append !== "flying" || epoch !== owner.epoch) return;
  if (how === "not-stored") {
    owner.append = "again";
    owner.repeatAt = state.now.mono + REPEAT_APPEND_MS;
    return;
  }
  owner.append = "doubt";
  if (state.without.has("L20")) reconsider(state);
  state.actions.push({ do: "read-tail" });
}

/** What L20 forbids, for the simulation to find: taking what is in doubt as not decided. */
function reconsider(state: State): void {
  const { rows, owner } = state;
  for (const { draft } of owner.inFlight) {
    const row = "id" in draft ? rows.find(draft.id) : -1;
    if (row < 0 || !rows.has(row, rowFlag.deciding)) continue;
    rows.set(row, rowFlag.deciding, false);
    if (rows.state[row] !== rowState.running) toQueue(state, row, true);
  }
  owner.inFlight = [];
}

/** The tail has been read. What is still in flight was not stored, or stands behind an older owner's pack: again. */
export function onTailRead(state: State): void {
  const { owner } = state;
  if (owner.append !== "doubt") return;
  if (state.lastEpoch > owner.epoch) {
    loseFence(state, `epoch ${state.lastEpoch} has been appended`);
    return;
  }
  owner.append = owner.inFlight.length > 0 ? "again" : "idle";
  owner.repeatAt = state.now.mono;
}

const bytesOf = (draft: RecordDraft): number =>
  RECORD_BYTES + (draft.type === "outcome" && draft.body ? draft.body.length : 0);
