import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import type { DataFolder } from "./folder.ts";

const FILE = "ports.json";

/** Whether we could listen there now. */
export const isFree = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });

/**
 * Systems take the ports of connections that go out from 32768 on (Linux; macOS from 49152): a server of ours whose port is
 * there finds it taken, perhaps for hours, when it starts again.
 */
const FIRST = 10_000;
const AFTER_LAST = 32_768;
const TRIES = 100;

/** A port that nobody listens on. */
export async function freePort(host: string): Promise<number> {
  for (let tried = 0; tried < TRIES; tried++) {
    const port = randomInt(FIRST, AFTER_LAST);
    if (await isFree(port, host)) return port;
  }
  throw new Error(`No free port on ${host}: ${TRIES} between ${FIRST} and ${AFTER_LAST - 1} were taken or forbidden.`);
}

/** The port that was asked for where it is free, else another. */
export const freeOr = async (port: number, host: string): Promise<number> =>
  port !== 0 && port < 65_536 && (await isFree(port, host)) ? port : freePort(host);

/** The port that `name` had the last time where it is still free, else another one, remembered. */
export async function rememberedPort(data: DataFolder, name: string, host: string): Promise<number> {
  const ports = data.readJson<Record<string, number>>(FILE) ?? {};
  const last = ports[name];
  if (last !== undefined && (await isFree(last, host))) return last;
  const port = await freePort(host);
  data.writeJson(FILE, { ...ports, [name]: port });
  return port;
}
