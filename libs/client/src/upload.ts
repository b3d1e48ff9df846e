/** Hears how many bytes of a body were handed over so far. */
export type OnProgress = (sentBytes: number) => void;

const CHUNK_BYTES = 64 * 1024;

/** A body that tells how far it is: as fast as the line takes it, chunk by chunk. One for each try. */
export function toStream(body: Uint8Array, onProgress: OnProgress): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream(
    {
      pull(controller) {
        const chunk = body.subarray(sent, sent + CHUNK_BYTES);
        if (chunk.length === 0) return controller.close();
        controller.enqueue(chunk);
        sent += chunk.length;
        onProgress(sent);
      },
    },
    { highWaterMark: 0 },
  );
}
