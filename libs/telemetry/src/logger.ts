import { pino } from "pino";

export type Logger = pino.Logger;

/** Names that never reach a log line, wherever they stand (secrets never reach logs). */
const secretPaths = ["authorization", "password", "token", "secret", "secretHash", "x-auth-token"].flatMap((name) => [
  name,
  `*.${name}`,
  `*["${name}"]`,
]);

/** A Redis client's error holds the command that failed, and that may be the one with the password. */
const commandPaths = ["err.command.args", "err.cause.command.args"];

/** JSON lines on stdout, one logger a service. `level` is pino's. */
export function createLogger(service: string, level = "info"): Logger {
  return pino({
    name: service,
    level,
    redact: { paths: [...new Set(secretPaths), ...commandPaths], censor: "[removed]" },
    base: { service },
  });
}
