import { styleText } from "node:util";

const levels = { 10: "trace", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal" } as const;
type Level = (typeof levels)[keyof typeof levels];
const shown: Record<Level, Parameters<typeof styleText>[0]> = {
  trace: "dim",
  debug: "dim",
  info: "cyan",
  warn: "yellow",
  error: "red",
  fatal: ["bold", "red"],
};
/** Facts that every line of a service carries and that the prefix says already. */
const known = new Set(["level", "time", "service", "name", "msg", "pid", "hostname"]);

export interface ReadLine {
  text: string;
  /** Shown while the platform starts, too. What a process says before it ends is shown in any case (supervised.ts). */
  important: boolean;
}

/**
 * One line of a process as a person reads it: pino's JSON becomes "12:31:05 warn message key=value", the servers' own
 * formats stay, anything else is passed on as it is.
 */
export function readLogLine(line: string, colours: boolean): ReadLine {
  if (line.startsWith("{")) {
    try {
      return readJsonLine(JSON.parse(line), colours);
    } catch {
      return { text: line, important: false };
    }
  }
  const nats = /^\[\d+\] \S+ (\S+) \[(INF|WRN|ERR|FTL|DBG|TRC)\] (.*)$/.exec(line);
  if (nats) return { text: `${nats[1]!.slice(0, 8)} ${nats[3]}`, important: /ERR|FTL/.test(nats[2]!) };
  const redis = /^\d+:[A-Z] \d+ \w+ \d+ (\S+) [.\-*#] (.*)$/.exec(line);
  if (redis) return { text: `${redis[1]!.slice(0, 8)} ${redis[2]}`, important: false };
  return { text: line, important: false };
}

function readJsonLine(fields: Record<string, unknown>, colours: boolean): ReadLine {
  const number = Number(fields.level);
  const level: Level = levels[number as keyof typeof levels] ?? "info";
  const name = colours ? styleText(shown[level], level, { validateStream: false }) : level;
  const time = new Date(Number(fields.time)).toISOString().slice(11, 19);
  const rest = Object.entries(fields)
    .filter(([key]) => !known.has(key))
    .map(([key, value]) => ` ${key}=${toShort(value)}`)
    .join("");
  return { text: `${time} ${name} ${String(fields.msg ?? "")}${rest}`, important: number >= 40 };
}

/** Errors are shown by their message and the place they came from; the whole stack is a `FNBUS_LOG_FORMAT=json` away. */
function toShort(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value === "string" ? value : JSON.stringify(value);
  const { message, stack } = value as { message?: unknown; stack?: unknown };
  if (typeof message !== "string") return JSON.stringify(value);
  const place = typeof stack === "string" ? /\n\s+at (.*)/.exec(stack)?.[1] : undefined;
  return place ? `${message} (at ${place})` : message;
}
