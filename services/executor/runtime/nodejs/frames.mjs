/** The codec of descriptor 3 (../PROTOCOL.md). */
const HEAD = 13;
const EMPTY = Buffer.alloc(0);

export const types = Object.freeze({
  load: 1,
  call: 2,
  stop: 3,
  ready: 16,
  loaded: 17,
  result: 18,
  failed: 19,
  fatal: 20,
});

/** One frame: `json` is a value, `body` bytes. */
export function encodeFrame(type, call, json, body = EMPTY) {
  const text = JSON.stringify(json);
  const textBytes = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(HEAD + textBytes + body.length);
  frame.writeUInt32LE(frame.length - 4, 0);
  frame[4] = type;
  frame.writeUInt32LE(call, 5);
  frame.writeUInt32LE(textBytes, 9);
  frame.write(text, HEAD);
  if (body.length > 0) frame.set(body, HEAD + textBytes);
  return frame;
}

/** Cuts a byte stream into frames: `onFrame(type, call, json text, body)`. Bodies are views of what was read. */
export function createFrameReader(onFrame) {
  let parts = [];
  let held = 0;
  let wanted = 4;
  return (chunk) => {
    parts.push(chunk);
    held += chunk.length;
    if (held < wanted) return;
    let buffer = parts.length === 1 ? chunk : Buffer.concat(parts, held);
    let offset = 0;
    for (;;) {
      const left = buffer.length - offset;
      wanted = left < 4 ? 4 : 4 + buffer.readUInt32LE(offset);
      if (left < wanted) break;
      const jsonBytes = buffer.readUInt32LE(offset + 9);
      const jsonEnd = offset + HEAD + jsonBytes;
      const end = offset + wanted;
      onFrame(
        buffer[offset + 4],
        buffer.readUInt32LE(offset + 5),
        buffer.toString("utf8", offset + HEAD, jsonEnd),
        buffer.subarray(jsonEnd, end),
      );
      offset = end;
    }
    buffer = buffer.subarray(offset);
    parts = buffer.length > 0 ? [buffer] : [];
    held = buffer.length;
  };
}
