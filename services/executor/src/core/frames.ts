/** The executor's end of descriptor 3: the codec of runtime/PROTOCOL.md. */

const HEAD_BYTES = 13;
/** Over the largest answer and its headers: more is a broken runner, not a large result. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

export const frameTypes = Object.freeze({
  load: 1,
  call: 2,
  stop: 3,
  ready: 16,
  loaded: 17,
  result: 18,
  failed: 19,
  fatal: 20,
});

export interface RunnerFrame {
  type: number;
  call: number;
  json: string;
  /** A view of what was read: keep no longer than the turn, or copy. */
  body: Buffer;
}

const EMPTY = Buffer.alloc(0);

/** One frame. `json` is the text as it stands: a call's metadata goes through as it came. */
export function encodeRunnerFrame(type: number, call: number, json: string, body: Uint8Array = EMPTY): Buffer {
  const jsonBytes = Buffer.byteLength(json);
  const frame = Buffer.allocUnsafe(HEAD_BYTES + jsonBytes + body.length);
  frame.writeUInt32LE(frame.length - 4, 0);
  frame[4] = type;
  frame.writeUInt32LE(call, 5);
  frame.writeUInt32LE(jsonBytes, 9);
  frame.write(json, HEAD_BYTES);
  if (body.length > 0) frame.set(body, HEAD_BYTES + jsonBytes);
  return frame;
}

/** Why a byte stream is no frames: the instance ends with `function_protocol`. */
export class FrameFault extends Error {}

/**
 * Cuts what a runner sends into frames. Never holds more than one frame of MAX_FRAME_BYTES (I11).
 * The returned function throws FrameFault where lengths do not add up.
 */
export function createFrameReader(onFrame: (frame: RunnerFrame) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let held = 0;
  let wanted = 4;
  return (chunk) => {
    parts.push(chunk);
    held += chunk.length;
    if (held < wanted) return;
    const buffer = parts.length === 1 ? chunk : Buffer.concat(parts, held);
    let offset = 0;
    for (;;) {
      const left = buffer.length - offset;
      wanted = left < 4 ? 4 : frameBytes(buffer, offset);
      if (left < wanted) break;
      const jsonEnd = offset + HEAD_BYTES + buffer.readUInt32LE(offset + 9);
      const end = offset + wanted;
      if (jsonEnd > end) throw new FrameFault("a frame's JSON is longer than the frame");
      onFrame({
        type: buffer[offset + 4]!,
        call: buffer.readUInt32LE(offset + 5),
        json: buffer.toString("utf8", offset + HEAD_BYTES, jsonEnd),
        body: buffer.subarray(jsonEnd, end),
      });
      offset = end;
    }
    held = buffer.length - offset;
    parts = held > 0 ? [buffer.subarray(offset)] : [];
  };
}

function frameBytes(buffer: Buffer, offset: number): number {
  const bytes = 4 + buffer.readUInt32LE(offset);
  if (bytes < HEAD_BYTES || bytes > MAX_FRAME_BYTES) throw new FrameFault(`a frame of ${bytes} bytes`);
  return bytes;
}
