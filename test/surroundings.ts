import { execFile } from "node:child_process";
import { delimiter, dirname } from "node:path";
import { promisify } from "node:util";
import { readLocalConfig } from "../deploy/local/src/config.ts";
import { findServer } from "../deploy/local/src/servers/find-server.ts";
import { toFindContext } from "../deploy/local/src/servers/resolve.ts";
import { type WantedServer, wantedNats, wantedRedis } from "../deploy/local/src/servers/wanted.ts";

const run = promisify(execFile);
/** An engine that takes longer does not answer. */
const DOCKER_MS = 5000;

/** The Docker engine's version, or undefined where none answers. */
export async function dockerVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run("docker", ["version", "--format", "{{.Server.Version}}"], { timeout: DOCKER_MS });
    return stdout.trim();
  } catch {
    return undefined;
  }
}

export interface FoundServers {
  found: boolean;
  /** What was found, or what to do. */
  message: string;
  /** Variables under which the tests find and run them. */
  env: Record<string, string>;
}

/** NATS and Redis as `npm start` finds them: what is installed, else fetched into our cache. */
export async function findServers(): Promise<FoundServers> {
  const context = toFindContext(readLocalConfig(process.env), process.env, (line) => process.stdout.write(`${line}\n`));
  const program = async (wanted: WantedServer) => {
    const server = await findServer(wanted, context);
    if (server.how !== "program") throw new Error(`The tests need ${wanted.title} as a program; found an image.`);
    return {
      folder: dirname(server.command),
      env: server.env,
      line: `${wanted.title} ${server.version} (${server.command})`,
    };
  };
  try {
    const servers = [await program(wantedNats), await program(wantedRedis)];
    const message = `Found ${servers.map(({ line }) => line).join(", ")}.`;
    // The Node.js that runs this stays the first: a server's folder may hold an older one.
    const folders = new Set([dirname(process.execPath), ...servers.map(({ folder }) => folder)]);
    const path = [...folders, process.env.PATH].join(delimiter);
    return { found: true, message, env: Object.assign({}, ...servers.map(({ env }) => env), { PATH: path }) };
  } catch (error) {
    return { found: false, message: (error as Error).message, env: {} };
  }
}
