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

/** A port that nobody listens on. */
export const freePort = (host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, host, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** The port that was asked for where it is free, else another. */
export const freeOr = async (port: number, host: string): Promise<number> =>
  port !== 0 && (await isFree(port, host)) ? port : freePort(host);

/** The port that `name` had the last time where it is still free, else another one, remembered. */
export async function rememberedPort(data: DataFolder, name: string, host: string): Promise<number> {
  const ports = data.readJson<Record<string, number>>(FILE) ?? {};
  const last = ports[name];
  if (last !== undefined && (await isFree(last, host))) return last;
  const port = await freePort(host);
  data.writeJson(FILE, { ...ports, [name]: port });
  return port;
}
