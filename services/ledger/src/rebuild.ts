import { connectBus } from "@fnbus/bus";
import { readConfig, type Variables } from "@fnbus/config";
import { streams } from "@fnbus/contract";
import { LedgerConfig, toBusOptions } from "./config.ts";
import { followLogs, readCreationTimes } from "./projection/follow.ts";
import { openDatabase } from "./projection/schema.ts";
import { createStore } from "./projection/store.ts";

/**
 * Deletes the look-up's store of every partition and builds it from what the logs hold now (L29). Stop the ledgers
 * that use the folder first: a store that is held is left alone. Returns what is to be printed.
 */
export async function rebuildProjection(variables: Variables): Promise<string> {
  const config = readConfig(LedgerConfig, variables);
  if (config.FNBUS_DATA_DIR === "") throw new Error("FNBUS_DATA_DIR is not set: there is no store that lasts");
  const bus = await connectBus({ ...toBusOptions(config, "ledger-rebuild"), connectTimeoutMs: 10_000 });
  const lines: string[] = [];
  try {
    for (let partition = 0; partition < config.FNBUS_PARTITIONS; partition++) {
      const database = openDatabase(config.FNBUS_DATA_DIR, partition, true);
      const ends = await Promise.all(
        [streams.outcomes(partition), streams.records(partition)].map((stream) => bus.streamState(stream)),
      );
      const wanted = { outcomes: ends[0]!.last, records: ends[1]!.last };
      const reached = { outcomes: 0, records: 0 };
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => {
        if (reached.outcomes >= wanted.outcomes && reached.records >= wanted.records) resolve();
      };
      const createdAt = await readCreationTimes(bus, partition);
      const following = await followLogs(bus, partition, createStore(database), createdAt, {
        position(log, sequence) {
          reached[log] = sequence;
          look();
        },
        fault: (text) => lines.push(`partition ${partition}: passed over ${text}`),
      });
      look();
      await promise;
      await following.stop();
      const rows = database.prepare("SELECT count(*) AS rows FROM invocations").get()?.rows;
      database.close();
      lines.push(
        `partition ${partition}: ${rows} invocations from OUTCOMES ${wanted.outcomes}, RECORDS ${wanted.records}`,
      );
    }
  } finally {
    await bus.drain();
  }
  return lines.join("\n");
}
