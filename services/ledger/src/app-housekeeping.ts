import type { Bus } from "@fnbus/bus";
import { buckets, FnbusError, streams } from "@fnbus/contract";
import type { CoreView } from "./core/index.ts";
import { isLive } from "./look-up/live-view.ts";
import { type RetentionParts, retain } from "./out/retention.ts";
import { sweepBodies } from "./out/sweep.ts";
import type { Projection } from "./projection/projection.ts";

const RETAIN_EVERY_MS = 30_000;
const SWEEP_EVERY_MS = 600_000;
/** A projection that takes longer is too far behind to say what names a body: the next sweep asks again. */
const PROJECTED_WITHIN_MS = 5000;

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
    if (!(await projection.passed(outcomes.last, PROJECTED_WITHIN_MS))) return;
    await sweepBodies(await bus.objects(buckets.bodies), partition, {
      now: parts.now,
      isUnfinished(id) {
        const found = view.find(id);
        return found !== undefined && isLive(found);
      },
      async find(id) {
        // What ended since is no longer unfinished, and projected a moment later.
        if (!(await projection.passed(view.next().outcomes - 1, PROJECTED_WITHIN_MS)))
          throw new FnbusError("ledger_unavailable", "the projection is behind");
        return projection.ask("get", id);
      },
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
