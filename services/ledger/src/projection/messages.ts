import type { BusOptions } from "@fnbus/bus";
import type { Queries } from "./queries.ts";

/** What the worker thread is started with. */
export interface ProjectionOptions {
  bus: BusOptions;
  partition: number;
  /** Where the SQLite file is. */
  folder: string;
  keepMs: number;
}

export type QueryName = keyof Queries;

export interface QueryMessage {
  number: number;
  query: QueryName;
  values: unknown[];
}

export type WorkerMessage =
  | { type: "answer"; number: number; value: unknown }
  | { type: "failure"; number: number; message: string }
  /** Everything up to these sequences is committed. */
  | { type: "position"; outcomes: number; records: number }
  /** A message of a log that cannot be read: passed over, and told, so that it is counted and alarmed. */
  | { type: "fault"; text: string };
