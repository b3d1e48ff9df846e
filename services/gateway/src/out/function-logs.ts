import { type Bus, isBusError } from "@fnbus/bus";
import { FnbusError, type LogLine, streams, subjects } from "@fnbus/contract";
import { readMessage } from "@fnbus/publisher";
import type { Logger } from "@fnbus/telemetry";

export interface LogQuery {
  space: string;
  name: string;
  registryId: string;
  /** ms since 1970. */
  since?: number;
  /** The newest so many lines. */
  tail: number;
  invocation?: string;
}

/** Log lines of functions, as executors wrote them to the LOGS stream. */
export interface FunctionLogs {
  /** What is stored, oldest first. Throws `broker_unavailable`. */
  read(query: LogQuery): Promise<LogLine[]>;
  /** Lines from now on. Returns how to stop. */
  follow(query: LogQuery, onLines: (lines: LogLine[]) => void): () => void;
}

/** A message holds the lines of about 50 ms: so many are read for one question at most (I11). */
const MAX_MESSAGES = 2_000;

export function createFunctionLogs(bus: Bus, logger: Logger): FunctionLogs {
  const subjectOf = ({ space, name }: LogQuery) => subjects.logs(space, name);
  return {
    async read(query) {
      const { since, tail } = query;
      const options = { maxMessages: MAX_MESSAGES, ...(since === undefined ? {} : { sinceMs: since }) };
      const messages = await bus.readSubject(streams.logs, subjectOf(query), options).catch((error: unknown) => {
        if (isBusError(error, "not_found")) return [];
        throw isBusError(error) ? new FnbusError("broker_unavailable", undefined, { cause: error }) : error;
      });
      const lines = messages.flatMap(({ data }) => toLines(readMessage<LogLine[]>(data, logger), query));
      return lines.slice(Math.max(0, lines.length - tail));
    },
    follow(query, onLines) {
      const subscription = bus.subscribe(subjectOf(query), ({ data }) => {
        const lines = toLines(readMessage<LogLine[]>(data, logger), query);
        if (lines.length > 0) onLines(lines);
      });
      return () => subscription.unsubscribe();
    },
  };
}

function toLines(lines: readonly LogLine[] = [], { registryId, invocation, since }: LogQuery): LogLine[] {
  return lines.filter(
    (line) =>
      line.registryId === registryId &&
      (invocation === undefined || line.invocation === invocation) &&
      (since === undefined || line.at >= since),
  );
}
