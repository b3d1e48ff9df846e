import type { Bus } from "@fnbus/bus";
import { buckets, streams } from "@fnbus/contract";
import type { CoreView } from "./core/index.ts";
import { isLive } from "./look-up/live-view.ts";
import { type RetentionParts, retain } from "./out/retention.ts";
import { sweepBodies } from "./out/sweep.ts";
import type { Projection } from "./projection/projection.ts";

const RETAIN_EVERY_MS = 30_000;
const SWEEP_EVERY_MS = 600_000;

export interface HousekeepingParts
  extends Pick<RetentionParts, "now" | "keepRecordsMs" | "keepDeadLettersMs" | "callbacksMark" | "gaveUp"> {
  bus: Bus;
  partition: number;
  view: CoreView;
  projection: Projection;
  failed(error: unknown): void;
}

/** What the owner cleans up now and then: RECORDS, PARKED, large bodies (L22, L24, L25). Gives back how to stop. */
export function startHousekeeping(parts: HousekeepingParts): () => void {
  const { bus, partition, view, projection, failed } = parts;
  const retention: RetentionParts = {
    ...parts,
    projectedRecords: () => projection.positions().records,
    parkedFloor() {
      let floor = Number.POSITIVE_INFINITY;
      for (const { place } of view.unfinished()) if (place.stream === "parked") floor = Math.min(floor, place.sequence);
      return floor;
    },
  };

  async function sweep(): Promise<void> {
    const [outcomes, parked] = await Promise.all([
      bus.streamState(streams.outcomes(partition)),
      bus.streamState(streams.parked(partition)),
    ]);
    // Behind the log it would not know what names a body.
    if (projection.positions().outcomes < outcomes.last) return;
    await sweepBodies(await bus.objects(buckets.bodies), partition, {
      now: parts.now,
      isUnfinished(id) {
        const found = view.find(id);
        return found !== undefined && isLive(found);
      },
      find: (id) => projection.ask("get", id),
      firstOutcome: outcomes.first,
      firstParked: parked.first,
    });
  }

  let busy = false;
  const inTurn = (work: () => Promise<unknown>) => () => {
    if (busy || view.phase !== "owning" || !bus.isConnected()) return;
    busy = true;
    work()
      .catch(failed)
      .finally(() => {
        busy = false;
      });
  };
  const timers = [
    setInterval(
      inTurn(() => retain(bus, partition, retention)),
      RETAIN_EVERY_MS,
    ),
    setInterval(inTurn(sweep), SWEEP_EVERY_MS),
  ];
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}
