import type { EndState } from "@fnbus/contract";
import type { CheckpointPart } from "./actions.ts";
import { NONE, rowFlag, rowState } from "./rows.ts";
import type { State } from "./state.ts";
import type { StoredCheckpoint } from "./types.ts";

/**
 * A checkpoint (L7): u32 bytes of the JSON head, the head, then a fixed row for each unfinished invocation. Kept ids are
 * objects of their own, named in the head. Rows make it self-sufficient: INVOCATIONS below it is read for bytes alone.
 */
interface Head {
  v: 1;
  partition: number;
  /** Creation times of the streams that its sequences are of. */
  created: { invocations: number; outcomes: number };
  next: { invocations: number; outcomes: number };
  lastEpoch: number;
  stamp: number;
  accepted: number;
  dropped: number;
  ended: Record<EndState, number>;
  marks: [source: string, mark: number][];
  functions: string[];
  firstCallback?: number;
  keyed: string[];
  recent: string[];
  rows: number;
}

const ROW_BYTES = 72;

export function encodeCheckpoint(state: State): { object: string; parts: CheckpointPart[]; named: string[] } {
  const prefix = `${state.partition}/`;
  const segments = { keyed: state.kept.toParts(prefix), recent: state.recent.toParts(prefix) };
  const head: Head = {
    v: 1,
    partition: state.partition,
    created: { invocations: state.logs.invocations.createdAt, outcomes: state.logs.outcomes.createdAt },
    next: { ...state.next },
    lastEpoch: state.lastEpoch,
    stamp: state.stamp,
    accepted: state.totals.accepted,
    dropped: state.totals.dropped,
    ended: { ...state.totals.ended },
    marks: [...state.marks],
    functions: state.queues.all.map(({ registryId }) => registryId),
    ...(state.firstCallback === undefined ? {} : { firstCallback: state.firstCallback }),
    keyed: segments.keyed.map(({ object }) => object),
    recent: segments.recent.map(({ object }) => object),
    rows: state.rows.count,
  };
  const json = Buffer.from(JSON.stringify(head), "utf8");
  const bytes = Buffer.allocUnsafe(4 + json.length + head.rows * ROW_BYTES);
  bytes.writeUInt32LE(json.length, 0);
  bytes.set(json, 4);
  let at = 4 + json.length;
  for (const row of state.rows.all()) {
    writeRow(state, row, bytes, at);
    at += ROW_BYTES;
  }
  const object = `${prefix}state-${state.owner.epoch}-${state.next.invocations}-${state.next.outcomes}`;
  const all = [...segments.keyed, ...segments.recent];
  const unstored = all.filter((part): part is CheckpointPart => part.bytes !== undefined);
  return {
    object,
    parts: [...unstored, { object, bytes }],
    named: [...all.map((part) => part.object), object],
  };
}

/** 16 id, 16 hash, f64 sequence, f64 accepted, u32 ttl, delay, bytes, function; u16 index; u8 flags, failed, lost, delayed. */
function writeRow({ rows }: State, row: number, bytes: Buffer, at: number): void {
  for (let word = 0; word < 4; word++) {
    bytes.writeUInt32LE(rows.ids[row * 4 + word]!, at + word * 4);
    bytes.writeUInt32LE(rows.hashes?.[row * 4 + word] ?? 0, at + 16 + word * 4);
  }
  bytes.writeDoubleLE(rows.sequences[row]!, at + 32);
  bytes.writeDoubleLE(rows.acceptedAt[row]!, at + 40);
  bytes.writeUInt32LE(rows.ttl[row]!, at + 48);
  bytes.writeUInt32LE(rows.delay[row]!, at + 52);
  bytes.writeUInt32LE(rows.bytes[row]!, at + 56);
  bytes.writeUInt32LE(rows.functions[row]!, at + 60);
  bytes.writeUInt16LE(rows.indexes[row]!, at + 64);
  bytes[at + 66] = rows.flags[row]! & (rowFlag.parked | rowFlag.kept | rowFlag.callback | rowFlag.cancelled);
  bytes[at + 67] = rows.failed[row]!;
  bytes[at + 68] = rows.lost[row]!;
  bytes[at + 69] = rows.state[row] === rowState.waiting ? 1 : 0;
}

const readHead = (bytes: Buffer): Head => JSON.parse(bytes.toString("utf8", 4, 4 + bytes.readUInt32LE(0)));
const toBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Names of the id segments that a checkpoint's own object refers to: to be fetched before `createCore`. */
export function checkpointSegments(state: Uint8Array): string[] {
  const head = readHead(toBuffer(state));
  return [...head.keyed, ...head.recent];
}

/**
 * Takes a checkpoint in, before anything is read. False where it is of other streams (L7): then the logs are read from
 * their start, and somebody should know why.
 */
export function restoreCheckpoint(state: State, checkpoint: StoredCheckpoint): boolean {
  const bytes = toBuffer(checkpoint.state);
  const head = readHead(bytes);
  const { invocations, outcomes } = state.logs;
  const same =
    head.created.invocations === invocations.createdAt &&
    head.created.outcomes === outcomes.createdAt &&
    head.next.invocations <= invocations.last + 1 &&
    head.next.outcomes <= outcomes.last + 1;
  if (!same) return false;
  Object.assign(state.totals, { accepted: head.accepted, dropped: head.dropped, ended: { ...head.ended } });
  for (const [source, mark] of head.marks) state.marks.set(source, mark);
  for (const registryId of head.functions) state.queues.of(registryId);
  for (const object of head.keyed) state.kept.restore(object, checkpoint.segments.get(object)!);
  for (const object of head.recent) state.recent.restore(object, checkpoint.segments.get(object)!);
  state.firstCallback = head.firstCallback;
  state.lastEpoch = head.lastEpoch;
  state.stamp = head.stamp;
  state.next = { ...head.next };
  state.lastOutcomes = head.next.outcomes - 1;
  const first = 4 + bytes.readUInt32LE(0);
  for (let row = 0; row < head.rows; row++) readRow(state, bytes, first + row * ROW_BYTES);
  state.live.readTo(head.next.invocations);
  return true;
}

function readRow(state: State, bytes: Buffer, at: number): void {
  const { rows, queues, timers } = state;
  const row = rows.addBytes(bytes, at);
  rows.sequences[row] = bytes.readDoubleLE(at + 32);
  rows.acceptedAt[row] = bytes.readDoubleLE(at + 40);
  rows.ttl[row] = bytes.readUInt32LE(at + 48);
  rows.delay[row] = bytes.readUInt32LE(at + 52);
  rows.bytes[row] = bytes.readUInt32LE(at + 56);
  rows.functions[row] = bytes.readUInt32LE(at + 60);
  rows.indexes[row] = bytes.readUInt16LE(at + 64);
  rows.flags[row] = bytes[at + 66]!;
  rows.failed[row] = bytes[at + 67]!;
  rows.lost[row] = bytes[at + 68]!;
  if (!rows.has(row, rowFlag.parked)) {
    state.live.add(rows.sequences[row]!);
    state.unfinishedBytes += rows.bytes[row]!;
  }
  rows.next[row] = rows.previous[row] = NONE;
  if (bytes[at + 69] === 1) {
    rows.state[row] = rowState.waiting;
    queues.ofRow(row).waiting++;
  } else {
    rows.state[row] = rowState.queued;
    queues.push(row, false);
  }
  timers.set(row);
}
