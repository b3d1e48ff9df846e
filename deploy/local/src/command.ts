import type { Variables } from "@fnbus/config";
import { defineCommand, parseArgs, renderUsage } from "citty";
import { startPlatform } from "./app.ts";
import { readLocalConfig } from "./config.ts";
import { readOnly } from "./core/services.ts";

const args = {
  port: { type: "string", description: "port of the gateway (FNBUS_PORT, 8080)", valueHint: "number" },
  host: { type: "string", description: "address of the gateway (FNBUS_HOST, 127.0.0.1)", valueHint: "address" },
  data: { type: "string", description: "data folder (FNBUS_DATA_DIR, .fnbus)", valueHint: "folder" },
  only: { type: "string", description: "services to run, comma-separated", valueHint: "gateway,executor" },
  help: { type: "boolean", alias: "h", description: "show this" },
} as const;

const command = defineCommand({
  meta: { name: "npm start --", description: "The whole platform on this machine, with real NATS and Redis servers." },
  args,
});

/** Runs the platform until it is told to stop. Resolves with the exit code. */
export async function runLocal(argv: string[], variables: Variables, stream: NodeJS.WriteStream): Promise<number> {
  const given = parseArgs<typeof args>(argv, args);
  const unknown = Object.keys(given).filter((name) => name !== "_" && !["h", ...Object.keys(args)].includes(name));
  if (given.help || unknown.length > 0 || given._.length > 0) {
    stream.write(`${await renderUsage(command)}\n`);
    for (const name of [...unknown.map((one) => `--${one}`), ...given._]) stream.write(`Unknown: ${name}\n`);
    return given.help ? 0 : 2;
  }
  const config = readLocalConfig({
    ...variables,
    ...(given.port && { FNBUS_PORT: given.port }),
    ...(given.host && { FNBUS_HOST: given.host }),
    ...(given.data && { FNBUS_DATA_DIR: given.data }),
  });
  const asked = askedToStop(variables.npm_lifecycle_event !== undefined);
  const platform = await Promise.race([startPlatform(config, readOnly(given.only), variables, stream), asked.first]);
  if (!platform) return 130;
  await asked.first;
  stream.write("Stopping; once more to stop at once\n");
  const done = await Promise.race([platform.stop().then(() => true), asked.second]);
  if (!done) platform.killAll();
  return done ? 0 : 130;
}

/** How often it is looked whether npm still runs. */
const NPM_LOOK_MS = 500;

/**
 * Ctrl-C, a polite kill, or the end of the terminal: the first asks, the second insists. Below npm the end of npm asks
 * too: killed with -9 it cannot pass a signal on.
 */
function askedToStop(isBelowNpm: boolean): { first: Promise<undefined>; second: Promise<undefined> } {
  const first = Promise.withResolvers<undefined>();
  const second = Promise.withResolvers<undefined>();
  let count = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      count += 1;
      (count === 1 ? first : second).resolve(undefined);
    });
  const npm = process.ppid;
  if (isBelowNpm) setInterval(() => process.ppid !== npm && first.resolve(undefined), NPM_LOOK_MS).unref();
  return { first: first.promise, second: second.promise };
}
