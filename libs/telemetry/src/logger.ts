import { pino } from "pino";

export type Logger = pino.Logger;

/** Names that never reach a log line, wherever they stand (secrets never reach logs). */
const secretPaths = ["authorization", "password", "token", "secret", "secretHash", "x-auth-token"].flatMap((name) => [
  name,
  `*.${name}`,
  `*["${name}"]`,
]);

/** JSON lines on stdout, one logger a service. `level` is pino's. */
export function createLogger(service: string, level = "info"): Logger {
  return pino({
    name: service,
    level,
    redact: { paths: [...new Set(secretPaths)], censor: "[removed]" },
    base: { service },
  });
}
