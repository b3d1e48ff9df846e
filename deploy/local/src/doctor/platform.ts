import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LocalConfig } from "../config.ts";
import { isFree } from "../data/ports.ts";
import type { Check } from "./examine.ts";

const TIMEOUT_MS = 2_000;
const LOOPBACK = "127.0.0.1";

/** The platform that the command line would talk to: does it answer, and what do its services say of themselves? */
export async function examinePlatform(platform: { url: string; from: string }, config: LocalConfig): Promise<Check[]> {
  const answers = await fetch(platform.url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).then(
    () => true,
    () => false,
  );
  if (answers)
    return [
      { name: "platform", state: "ok", text: `answers at ${platform.url}` },
      ...(await examineServices(platform.from)),
    ];
  if (platform.from === "FNBUS_URL")
    return [{ name: "platform", state: "failed", text: `does not answer at ${platform.url}`, fix: "mend FNBUS_URL" }];
  const free = await isFree(config.FNBUS_PORT, config.FNBUS_HOST);
  const port = `port ${config.FNBUS_PORT} of ${config.FNBUS_HOST}`;
  return [
    { name: "platform", state: "ok", text: "none runs here", fix: "npm start" },
    free
      ? { name: "port", state: "ok", text: `${port} is free` }
      : { name: "port", state: "degraded", text: `${port} is taken`, fix: "npm start -- --port <another>" },
  ];
}

/** Of a platform of this machine, whose data folder tells the operations ports. */
async function examineServices(dataFolder: string): Promise<Check[]> {
  let ops: Record<string, number>;
  try {
    ops = (JSON.parse(readFileSync(join(dataFolder, "platform.json"), "utf8")) as { ops: Record<string, number> }).ops;
  } catch {
    return [];
  }
  return Promise.all(
    Object.entries(ops).map(async ([name, port]): Promise<Check> => {
      const get = async (path: string) =>
        (await fetch(`http://${LOOPBACK}:${port}${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS) })).json();
      try {
        const ready = (await get("/ready")) as { ready: boolean; reasons: string[] };
        const {
          service: _service,
          uptimeSeconds,
          nats: _nats,
          ...facts
        } = (await get("/health")) as Record<string, unknown>;
        const text = Object.entries(facts).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
        if (ready.ready) return { name, state: "ok", text: `up for ${uptimeSeconds} s${text.join("")}` };
        return { name, state: "degraded", text: `not ready: ${ready.reasons.join(", ")}` };
      } catch {
        return { name, state: "failed", text: "does not answer", fix: "see what npm start says" };
      }
    }),
  );
}
