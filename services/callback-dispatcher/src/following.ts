import type { Bus } from "@fnbus/bus";
import type { Logger } from "@fnbus/telemetry";
import type { Endpoints } from "./core/endpoints.ts";
import type { OpenCallback, OpenCallbacks } from "./core/open-callbacks.ts";
import { createRecordFloor } from "./core/record-floor.ts";
import { readOutcomes } from "./in/outcome-log.ts";
import { readRecords } from "./in/record-log.ts";
import type { KeeperPosition } from "./keeper-state.ts";
import type { Contents } from "./out/contents.ts";
import type { Records } from "./out/records.ts";

export interface FollowingPorts {
  bus: Bus;
  logger: Logger;
  open: OpenCallbacks;
  endpoints: Endpoints;
  contents: Contents;
  records: Records;
  onOutcomes(): void;
  onEnd(sequence: number, callback: OpenCallback, how: "delivered" | "given-up"): void;
}

/** A partition's two logs, followed from a position. */
export interface Following {
  partition: number;
  position(): KeeperPosition;
  stop(): Promise<void>;
}

/** Older packs are read by a restart: their callbacks are mostly done, and would only push newer packs from the cache. */
const FRESH_MS = 30_000;

/** Resolves when both logs have been read up to where they ended at the start: only then is "open" known. */
export async function followPartition(
  partition: number,
  start: KeeperPosition,
  ports: FollowingPorts,
): Promise<Following> {
  const { bus, open, endpoints, records } = ports;
  const floor = createRecordFloor(start.records);
  let applied = start.records;
  let counted = start.counted;

  const outcomes = await readOutcomes(bus, partition, start.outcomes, {
    open,
    floor,
    recordsApplied: () => applied,
    onBatch: ports.onOutcomes,
    onPack(sequence, at, entries) {
      if (Date.now() - at < FRESH_MS) ports.contents.remember(partition, sequence, entries);
    },
    onDamaged: (sequence, message) =>
      records.append(partition, [
        {
          type: "give-up",
          at: Date.now(),
          service: "callback-dispatcher",
          what: `OUTCOMES ${sequence}`,
          reason: message,
        },
      ]),
  });
  await outcomes.caughtUp;
  const tries = await readRecords(bus, partition, start.records + 1, {
    open,
    onTry(sequence, host, at, result) {
      if (sequence <= counted) return;
      if (endpoints.tried(host, at, result))
        ports.logger.error({ host }, "callbacks to this host are paused: it has only failed for long");
    },
    onEnd: ports.onEnd,
    onApplied(sequence) {
      applied = sequence;
      counted = Math.max(counted, sequence);
    },
  });
  await tries.caughtUp;
  return {
    partition,
    position: () => {
      const mark = open.lowMark(partition);
      return { outcomes: mark, records: floor.at(mark), counted, created: start.created };
    },
    async stop() {
      await Promise.all([outcomes.stop(), tries.stop()]);
    },
  };
}
