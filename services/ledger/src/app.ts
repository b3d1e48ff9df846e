import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { createRegistry } from "@fnbus/registry";
import type { RunningService, ServiceContext } from "@fnbus/service";
import { type Partition, type PartitionParts, startPartition } from "./app-partition.ts";
import { BODY_CACHE_BYTES, type LedgerConfig, toBusOptions } from "./config.ts";
import { createFrameCache } from "./envelopes/cache.ts";
import { createLedgerMetrics } from "./metrics.ts";
import { createProjection } from "./projection/projection.ts";
import { createRebuilds } from "./rebuilds.ts";

/** A partition whose state has a gap is built anew after this. */
const REBUILD_MS = 1000;

/** The ledger: follows every partition, and owns those whose lease it gets. */
export async function startLedger(context: ServiceContext<LedgerConfig>): Promise<RunningService> {
  const { config, bus, logger } = context;
  const owner = `${hostname()}-${process.pid}-${randomBytes(3).toString("hex")}`;
  const temporary = config.FNBUS_DATA_DIR === "" ? mkdtempSync(join(tmpdir(), "fnbus-ledger-")) : undefined;
  const folder = temporary ?? config.FNBUS_DATA_DIR;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const registry = await createRegistry(bus);
  const metrics = createLedgerMetrics(context.metrics, (id) => {
    const definition = registry.functionById(id)?.definition;
    return definition ? `${definition.space}/${definition.name}` : "deleted";
  });
  const cacheBytes = BODY_CACHE_BYTES / config.FNBUS_PARTITIONS;
  const partitions: Partition[] = [];
  const projections = Array.from({ length: config.FNBUS_PARTITIONS }, (_, partition) =>
    createProjection(
      {
        bus: toBusOptions(config, "ledger-projection"),
        partition,
        folder,
        keepMs: config.FNBUS_KEEP_HOURS * 3_600_000,
      },
      logger,
    ),
  );
  let stopped = false;

  async function start(partition: number): Promise<void> {
    const parts: PartitionParts = {
      partition,
      owner,
      bus,
      registry,
      projection: projections[partition]!,
      cache: createFrameCache(cacheBytes),
      config,
      metrics,
      logger,
      onGap: () => rebuild(partition),
    };
    partitions[partition] = await startPartition(parts);
  }

  const rebuild = createRebuilds({
    afterMs: REBUILD_MS,
    stop: (partition) => partitions[partition]?.stop(),
    start,
    isOver: () => stopped,
    failed: (error, partition) => logger.error({ err: error, partition }, "a partition could not be built anew"),
  });

  await Promise.all(projections.map((_, partition) => start(partition)));

  return {
    async stop() {
      stopped = true;
      await Promise.all(partitions.map((partition) => partition.stop()));
      await Promise.all(projections.map((projection) => projection.stop()));
      registry.stop();
      if (temporary) rmSync(temporary, { recursive: true, force: true });
    },
    health: () => ({
      owner,
      partitions: partitions.map(({ view, isOwner, lag }, partition) => ({
        partition,
        role: isOwner() ? "owner" : "stand-by",
        phase: view.phase,
        epoch: view.epoch,
        unfinished: view.totals().unfinished,
        pendingRecords: view.pendingRecords,
        lag: lag(),
        projected: projections[partition]!.positions(),
      })),
    }),
  };
}
