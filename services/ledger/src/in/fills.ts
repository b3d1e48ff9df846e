import type { Bus, StreamState } from "@fnbus/bus";
import { streams } from "@fnbus/contract";
import type { CoreEvent, StreamFill } from "../core/index.ts";

/** Sizes of the partition's streams now, as the core asks for them (L22, L23). */
export async function readFills(bus: Bus, partition: number): Promise<Extract<CoreEvent, { type: "streams" }>> {
  const [invocations, outcomes, parked] = await Promise.all(
    [streams.invocations(partition), streams.outcomes(partition), streams.parked(partition)].map((name) =>
      bus.streamState(name),
    ),
  );
  return { type: "streams", invocations: toFill(invocations!), outcomes: toFill(outcomes!), parked: toFill(parked!) };
}

const toFill = ({ first, last, bytes, maxBytes }: StreamState): StreamFill => ({ first, last, bytes, maxBytes });
