import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { connectBus } from "@fnbus/bus";
import { followLogs, readCreationTimes } from "./follow.ts";
import type { ProjectionOptions, QueryMessage, WorkerMessage } from "./messages.ts";
import { createQueries } from "./queries.ts";
import { openDatabase } from "./schema.ts";
import { createStore, type LogName } from "./store.ts";

const FORGET_EVERY_MS = 60_000;

/** The projection's thread (L29): a connection of its own, so that reading and writing rows never holds up the ledger. */
async function run(port: MessagePort, options: ProjectionOptions): Promise<void> {
  const post = (message: WorkerMessage) => port.postMessage(message);
  const bus = await connectBus(options.bus);
  const createdAt = await readCreationTimes(bus, options.partition);
  let database = openDatabase(options.folder, options.partition);
  let store = createStore(database);
  const logs: LogName[] = ["outcomes", "records"];
  if (logs.some((log) => store.position(log, createdAt[log]) === undefined)) {
    post({ type: "fault", text: "the logs were made anew: the store is rebuilt" });
    database.close();
    database = openDatabase(options.folder, options.partition, true);
    store = createStore(database);
  }
  const queries = createQueries(database);
  const positions = { outcomes: 0, records: 0 };
  const following = await followLogs(bus, options.partition, store, createdAt, {
    position(log, sequence) {
      positions[log] = sequence;
      post({ type: "position", ...positions });
    },
    fault: (text) => post({ type: "fault", text }),
  });
  const forgetting = setInterval(() => {
    while (store.forgetOlder(Date.now() - options.keepMs));
  }, FORGET_EVERY_MS);

  port.on("message", (message: QueryMessage | "stop") => {
    if (message === "stop") {
      clearInterval(forgetting);
      void following
        .stop()
        .then(() => bus.drain())
        .then(() => {
          database.close();
          port.close();
        });
      return;
    }
    try {
      const ask = queries[message.query] as (...values: unknown[]) => unknown;
      post({ type: "answer", number: message.number, value: ask(...message.values) });
    } catch (error) {
      post({ type: "failure", number: message.number, message: (error as Error).message });
    }
  });
}

if (parentPort) await run(parentPort, workerData as ProjectionOptions);
