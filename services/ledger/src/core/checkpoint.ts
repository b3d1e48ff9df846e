import type { EndState } from "@fnbus/contract";
import type { CheckpointPart } from "./actions.ts";
import { toQueue, toWaiting } from "./lifecycle.ts";
import { MARK_BYTES } from "./marks.ts";
import { NONE, rowFlag, rowState } from "./rows.ts";
import type { State } from "./state.ts";
import type { Overlap } from "./ticks.ts";
import type { StoredCheckpoint } from "./types.ts";

/**
 * A checkpoint (L7): u32 bytes of the JSON head, the head, the marks of counting sources, then a fixed row for each
 * unfinished invocation, ticks of one source in their order. Kept ids are objects of their own, named in the head. Rows
 * make it self-sufficient: INVOCATIONS below it is read for bytes alone. Version 1, without ticks, is read too.
 */
interface Head {
  v: 1 | 2;
  partition: number;
  /** Creation times of the streams that its sequences are of. */
  created: { invocations: number; outcomes: number };
  next: { invocations: number; outcomes: number };
  lastEpoch: number;
  stamp: number;
  accepted: number;
  dropped: number;
  ended: Record<EndState, number>;
  /** Version 2: how many marks stand behind the head. */
  counted?: number;
  /** Version 1: the marks themselves. */
  marks?: [source: string, mark: number][];
  functions: string[];
  firstCallback?: number;
  keyed: string[];
  recent: string[];
  rows: number;
}

const ROW_BYTES = 76;
const ROW_BYTES_V1 = 72;
/** Byte 70 of a row: 0 for what is no tick. */
const overlaps: readonly Overlap[] = ["allow", "skip", "queue-one"];

export function encodeCheckpoint(state: State): { object: string; parts: CheckpointPart[]; named: string[] } {
  const prefix = `${state.partition}/`;
  const segments = { keyed: state.kept.toParts(prefix), recent: state.recent.toParts(prefix) };
  const head: Head = {
    v: 2,
    partition: state.partition,
    created: { invocations: state.logs.invocations.createdAt, outcomes: state.logs.outcomes.createdAt },
    next: { ...state.next },
    lastEpoch: state.lastEpoch,
    stamp: state.stamp,
    accepted: state.totals.accepted,
    dropped: state.totals.dropped,
    ended: { ...state.totals.ended },
    counted: state.marks.count,
    functions: state.queues.all.map(({ registryId }) => registryId),
    ...(state.firstCallback === undefined ? {} : { firstCallback: state.firstCallback }),
    keyed: segments.keyed.map(({ object }) => object),
    recent: segments.recent.map(({ object }) => object),
    rows: state.rows.count,
  };
  const json = Buffer.from(JSON.stringify(head), "utf8");
  const marksAt = 4 + json.length;
  let at = marksAt + state.marks.count * MARK_BYTES;
  const bytes = Buffer.allocUnsafe(at + head.rows * ROW_BYTES);
  bytes.writeUInt32LE(json.length, 0);
  bytes.set(json, 4);
  const places = state.marks.encode(bytes, marksAt);
  for (const row of inOrder(state)) {
    writeRow(state, row, bytes, at);
    bytes.writeInt32LE(state.rows.sources[row] === NONE ? NONE : places[state.rows.sources[row]!]!, at + 72);
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

/** Ticks first: those of one source come back in the order in which they wait for each other (L13). */
function* inOrder({ rows, ticks }: State): Generator<number> {
  yield* ticks.all();
  for (const row of rows.all()) if (ticks.overlap(row, rows.sources[row]!) === undefined) yield row;
}

/**
 * 16 id, 16 hash, f64 sequence, f64 accepted, u32 ttl, delay, bytes, function; u16 index; u8 flags, failed, lost,
 * delayed, overlap, zero; i32 source.
 */
function writeRow({ rows, ticks }: State, row: number, bytes: Buffer, at: number): void {
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
  const overlap = ticks.overlap(row, rows.sources[row]!);
  bytes[at + 70] = overlap === undefined ? 0 : overlaps.indexOf(overlap) + 1;
  bytes[at + 71] = 0;
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
  for (const registryId of head.functions) state.queues.of(registryId);
  for (const object of head.keyed) state.kept.restore(object, checkpoint.segments.get(object)!);
  for (const object of head.recent) state.recent.restore(object, checkpoint.segments.get(object)!);
  state.firstCallback = head.firstCallback;
  state.lastEpoch = head.lastEpoch;
  state.stamp = head.stamp;
  state.next = { ...head.next };
  state.lastOutcomes = head.next.outcomes - 1;
  const marksAt = 4 + bytes.readUInt32LE(0);
  const counted = head.counted ?? 0;
  state.marks.restore(bytes, marksAt, counted);
  for (const [source, mark] of head.marks ?? []) state.marks.move(source, mark, head.stamp);
  const rowsAt = marksAt + counted * MARK_BYTES;
  const rowBytes = head.v === 1 ? ROW_BYTES_V1 : ROW_BYTES;
  for (let row = 0; row < head.rows; row++) readRow(state, bytes, rowsAt + row * rowBytes, head.v);
  state.live.readTo(head.next.invocations);
  return true;
}

function readRow(state: State, bytes: Buffer, at: number, version: Head["v"]): void {
  const { rows } = state;
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
  if (version > 1) readSource(state, row, bytes.readInt32LE(at + 72), bytes[at + 70]!);
  if (bytes[at + 69] === 1) toWaiting(state, row, rows.nextAt(row));
  else toQueue(state, row, false);
}

function readSource({ rows, marks, ticks }: State, row: number, source: number, overlap: number): void {
  if (source === NONE) return;
  rows.sources[row] = source;
  marks.begin(source);
  if (overlap > 0) ticks.add(row, source, overlaps[overlap - 1]!);
}
