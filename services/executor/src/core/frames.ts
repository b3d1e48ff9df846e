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

/** What is said to a runner. `json` is the text as it stands: a call's metadata goes through as it came. */
export interface RunnerMessage {
  type: number;
  call: number;
  json: string;
  body?: Uint8Array | undefined;
}

/** The frames of these, one after the other. */
export function encodeRunnerFrames(messages: readonly RunnerMessage[]): Buffer {
  const jsonBytes = messages.map(({ json }) => Buffer.byteLength(json));
  const total = messages.reduce(
    (sum, { body = EMPTY }, index) => sum + HEAD_BYTES + jsonBytes[index]! + body.length,
    0,
  );
  const frames = Buffer.allocUnsafe(total);
  let at = 0;
  for (const [index, { type, call, json, body = EMPTY }] of messages.entries()) {
    const jsonEnd = at + HEAD_BYTES + jsonBytes[index]!;
    const end = jsonEnd + body.length;
    frames.writeUInt32LE(end - at - 4, at);
    frames[at + 4] = type;
    frames.writeUInt32LE(call, at + 5);
    frames.writeUInt32LE(jsonBytes[index]!, at + 9);
    frames.write(json, at + HEAD_BYTES);
    frames.set(body, jsonEnd);
    at = end;
  }
  return frames;
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
