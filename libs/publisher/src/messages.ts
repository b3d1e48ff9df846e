import type { Logger } from "@fnbus/telemetry";

/** A JSON message of the bus. undefined, and a line in the log, where it is none: a stray publisher must not end a service. */
export function readMessage<T>(data: Uint8Array, logger: Logger): T | undefined {
  try {
    return JSON.parse(Buffer.from(data).toString("utf8")) as T;
  } catch (error) {
    logger.warn({ err: error }, "a message on the bus is not JSON");
    return undefined;
  }
}
