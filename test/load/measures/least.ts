import { startNats } from "@fnbus/testing";
import { startPeer } from "../peer.ts";

/**
 * A gateway that does nothing else than to use the bus: it stores with fsync before it answers, or asks another process.
 * A ratio to bare HTTP that this does not reach on a machine, no platform on the bus reaches there.
 */
export async function startLeast(part: "store" | "call"): Promise<{ url: string; stop(): Promise<void> }> {
  const nats = await startNats();
  const peers = part === "call" ? [await startPeer("./baselines/least.ts", nats.url, "answer")] : [];
  const gateway = await startPeer("./baselines/least.ts", nats.url, part);
  return {
    url: `http://127.0.0.1:${gateway.first}/`,
    async stop() {
      for (const peer of [gateway, ...peers]) peer.stop();
      await nats.stop();
    },
  };
}
