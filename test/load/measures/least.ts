import { startNats } from "@fnbus/testing";
import { type Load, measureLoad, type Rate } from "../load.ts";
import { startPeer } from "../peer.ts";

/**
 * What a gateway that does nothing else gets through the same bus on the same machine: stores with fsync before it
 * answers, or asks another process. A ratio to bare HTTP that this does not reach, no platform on the bus reaches.
 */
export async function measureLeast(part: "store" | "call", load: Omit<Load, "url">): Promise<Rate> {
  const nats = await startNats();
  const peers = part === "call" ? [await startPeer("./baselines/least.ts", nats.url, "answer")] : [];
  try {
    const gateway = await startPeer("./baselines/least.ts", nats.url, part);
    peers.push(gateway);
    return await measureLoad({ ...load, url: `http://127.0.0.1:${gateway.first}/` });
  } finally {
    for (const peer of peers) peer.stop();
    await nats.stop();
  }
}
