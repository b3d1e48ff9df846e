import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Where systems take no port from for a connection that goes out (Linux begins at 32768, macOS at 49152): one that was free
 * and is not listened on yet would be taken by the next connection of any program.
 */
const FIRST = 10_000;
const AFTER_LAST = 32_768;
const TRIES = 100;

/** Ports of 127.0.0.1 that are free now, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let tried = 0; ports.size < count; tried++) {
    if (tried === count + TRIES) throw new Error(`${count} free ports: found ${ports.size} in ${tried} tries`);
    const port = randomInt(FIRST, AFTER_LAST);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
