/**
 * Calls and answers as they travel: what one turn of the event loop has for one subject is one message or a few. An entry is
 *
 *     place u32 | count u32 | bytes of the head u32 | bytes of the body u32 | head, UTF-8 | body
 *
 * little-endian. Place and count name the call among those of its caller; an answer bears them back.
 */
export interface CallEntry {
  place: number;
  count: number;
  /** A line of JSON, say. */
  head: string;
  body: Uint8Array;
}

const FIXED_BYTES = 16;

export const entryBytes = (head: string, body: Uint8Array): number =>
  FIXED_BYTES + Buffer.byteLength(head) + body.length;

/** `bytes`: the sum of `entryBytes`. */
export function encodeCallPack(entries: readonly Readonly<CallEntry>[], bytes: number): Buffer {
  const pack = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const { place, count, head, body } of entries) {
    const headBytes = pack.write(head, at + FIXED_BYTES);
    pack.writeUInt32LE(place, at);
    pack.writeUInt32LE(count, at + 4);
    pack.writeUInt32LE(headBytes, at + 8);
    pack.writeUInt32LE(body.length, at + 12);
    pack.set(body, at + FIXED_BYTES + headBytes);
    at += FIXED_BYTES + headBytes + body.length;
  }
  return pack;
}

/** Hands over each entry; its body is a view. What is cut off is left out: nobody could answer it. */
export function decodeCallPack(data: Uint8Array, onEntry: (entry: CallEntry) => void): void {
  const pack = Buffer.from(data.buffer, data.byteOffset, data.length);
  for (let at = 0; at + FIXED_BYTES <= pack.length; ) {
    const headEnd = at + FIXED_BYTES + pack.readUInt32LE(at + 8);
    const end = headEnd + pack.readUInt32LE(at + 12);
    if (end > pack.length) return;
    onEntry({
      place: pack.readUInt32LE(at),
      count: pack.readUInt32LE(at + 4),
      head: pack.toString("utf8", at + FIXED_BYTES, headEnd),
      body: pack.subarray(headEnd, end),
    });
    at = end;
  }
}
