import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBinary, freePorts, until } from "@fnbus/testing";
import { type NatsUser, toNatsConfig } from "../src/core/nats-config.ts";
import { readNatsInfo } from "../src/processes/answers.ts";

export interface UsersServer {
  port: number;
  stop(): Promise<void>;
}

/** A server that lets in these users, with the configuration that `npm start` writes. */
export async function startNatsWithUsers(users: NatsUser[]): Promise<UsersServer> {
  const folder = mkdtempSync(join(tmpdir(), "fnbus-users-"));
  const [port] = (await freePorts(1)) as [number];
  const [file, storeFolder] = [join(folder, "nats.conf"), join(folder, "store")];
  mkdirSync(storeFolder);
  // Written for the oldest version, so that any server reads it.
  writeFileSync(
    file,
    toNatsConfig({ serverName: folder, host: "127.0.0.1", port, storeFolder, version: "2.9.10", users }),
  );
  const server = spawn(findBinary("nats-server"), ["-c", file], { stdio: "ignore" });
  const exited = once(server, "exit");
  await until("server answers", async () => (await readNatsInfo("127.0.0.1", port))?.server_name === folder, 10_000);
  return {
    port,
    async stop() {
      server.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What the server refused one user: whole subjects. */
export interface Refusals {
  publish: string[];
  subscribe: string[];
}

/**
 * Publishes to and subscribes to every subject as one user, by the server's own protocol: the PONG comes behind every
 * refusal of what was sent before the PING.
 */
export async function tryAs(
  port: number,
  user: { user: string; password: string },
  subjects: readonly string[],
): Promise<Refusals> {
  const socket = connect({ host: "127.0.0.1", port });
  const login = { user: user.user, pass: user.password, verbose: false, pedantic: false };
  const lines = subjects.flatMap((subject, index) => [`SUB ${subject} ${index}`, `PUB ${subject} 0`, ""]);
  socket.write(`${[`CONNECT ${JSON.stringify(login)}`, ...lines, "PING", ""].join("\r\n")}`);
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    if (text.includes("PONG\r\n")) socket.end();
  });
  await once(socket, "close");
  if (!text.includes("PONG\r\n")) throw new Error(`the server ended the connection: ${text.slice(-200)}`);
  const found = (kind: string) =>
    [...text.matchAll(new RegExp(`-ERR 'Permissions Violation for ${kind} "([^"]+)"`, "g"))].map(
      ([, subject]) => subject!,
    );
  return { publish: found("Publish to"), subscribe: found("Subscription to") };
}
