import { encodeInvocationPack, limits, PACK_HEAD_BYTES } from "@fnbus/contract";
import { append } from "./append.ts";
import type { Core } from "./core.ts";
import { BusError } from "./errors.ts";
import type { Headers, Packer } from "./types.ts";

interface Waiting {
  frame: Uint8Array;
  resolve(place: { sequence: number; index: number }): void;
  reject(error: unknown): void;
}

/** Room for subject and headers of a pack below the broker's max_payload. */
const RESERVED_BYTES = 4096;

/** One publish in flight; what arrives meanwhile is the next pack. The broker does not group its fsyncs, so we do. */
export function createPacker(
  core: Core,
  subject: string,
  options: { headers?: Headers; timeoutMs?: number } = {},
): Packer {
  const waiting: Waiting[] = [];
  let inFlight: Waiting[] = [];
  let bytes = 0;
  let running: Promise<void> | undefined;
  let closed = false;

  const room = () => Math.min(limits.packBytes, core.connection.server().maxPayload - RESERVED_BYTES);
  const takePack = (): Waiting[] => {
    const limit = room();
    let size = PACK_HEAD_BYTES;
    let count = 0;
    while (count < waiting.length && count < limits.packEntries) {
      size += waiting[count]!.frame.length;
      if (size > limit && count > 0) break;
      count++;
    }
    return waiting.splice(0, count);
  };
  const publishPacks = async () => {
    while (waiting.length > 0) {
      // What this turn of the event loop still brings shares the pack.
      await new Promise((resolve) => setImmediate(resolve));
      inFlight = takePack();
      try {
        const pack = encodeInvocationPack(inFlight.map(({ frame }) => frame));
        const appended = append(core, subject, pack, options);
        core.outgoing.flush();
        const { sequence } = await appended;
        inFlight.forEach(({ resolve }, index) => {
          resolve({ sequence, index });
        });
      } catch (error) {
        for (const { reject } of inFlight) reject(error);
      }
      for (const { frame } of inFlight) bytes -= frame.length;
      inFlight = [];
    }
    running = undefined;
  };

  return {
    add(frame) {
      if (closed) return Promise.reject(new BusError("closed", "the packer is closed"));
      const limit = core.connection.server().maxPayload - RESERVED_BYTES;
      if (frame.length > limit)
        return Promise.reject(new BusError("too_large", `a frame of ${frame.length} bytes: the broker takes ${limit}`));
      return new Promise((resolve, reject) => {
        waiting.push({ frame, resolve, reject });
        bytes += frame.length;
        running ??= publishPacks();
      });
    },
    get pending() {
      return { frames: waiting.length + inFlight.length, bytes };
    },
    async close() {
      closed = true;
      await running;
    },
  };
}
