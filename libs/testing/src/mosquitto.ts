import { pbkdf2Sync, randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Restartable, startChild, startRestartable, untilReady } from "./child.ts";
import { findBinary } from "./find-binary.ts";
import { freePorts } from "./free-port.ts";

export interface MosquittoOptions {
  /** Names and passwords; absent: everybody may connect. */
  users?: Record<string, string>;
  /**
   * Filters that each user may subscribe to; absent: all. Such a refusal is said to the client, which an access file of
   * mosquitto 2.0 never does.
   */
  mayRead?: Record<string, string[]>;
  /** Paths of PEM files. `ca`: clients must show a certificate of that authority. */
  tls?: { certificate: string; key: string; ca?: string };
  port?: number;
  /** Lines for the configuration. */
  settings?: string[];
}

export interface Mosquitto extends Restartable {
  readonly port: number;
  /** Stands from the next start on. */
  setUsers(users: Record<string, string>): Promise<void>;
}

/** Debian's place of the plugin that knows who may subscribe to what. */
const DYNAMIC_SECURITY = "/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so";
const ROUNDS = 101;

const hash = (password: string) => {
  const salt = randomBytes(12);
  return { salt: salt.toString("base64"), hash: pbkdf2Sync(password, salt, ROUNDS, 64, "sha512").toString("base64") };
};

const toPasswordFile = (users: Record<string, string>): string =>
  Object.entries(users)
    .map(([name, password]) => {
      const made = hash(password);
      return `${name}:$7$${ROUNDS}$${made.salt}$${made.hash}\n`;
    })
    .join("");

function toDynamicSecurity(users: Record<string, string>, mayRead: Record<string, string[]>): string {
  const acl = (acltype: string, topic: string) => ({ acltype, topic, priority: 0, allow: true });
  return JSON.stringify({
    defaultACLAccess: { publishClientSend: true, publishClientReceive: true, subscribe: false, unsubscribe: true },
    clients: Object.entries(users).map(([username, password]) => {
      const made = hash(password);
      return { username, password: made.hash, salt: made.salt, iterations: ROUNDS, roles: [{ rolename: username }] };
    }),
    groups: [],
    roles: Object.keys(users).map((rolename) => ({
      rolename,
      // To this plugin a shared subscription is a filter like any other, group and all.
      acls: (mayRead[rolename] ?? ["#"]).flatMap((filter) => [
        acl("subscribePattern", filter),
        acl("subscribePattern", `$share/+/${filter}`),
      ]),
    })),
  });
}

/** A real mosquitto on a free port of 127.0.0.1, whose sessions survive its restarts. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const binary = findBinary("mosquitto");
  const port = options.port ?? (await freePorts(1))[0]!;
  const folder = await mkdtemp(join(tmpdir(), "fnbus-mosquitto-"));
  const config = join(folder, "mosquitto.conf");
  const { users, mayRead, tls, settings = [] } = options;
  const access = join(folder, mayRead ? "dynamic-security.json" : "passwords");
  const setUsers = async (now: Record<string, string>) => {
    await writeFile(access, mayRead ? toDynamicSecurity(now, mayRead) : toPasswordFile(now), { mode: 0o600 });
  };
  if (users) await setUsers(users);
  await writeFile(
    config,
    [
      `listener ${port} 127.0.0.1`,
      ...(tls ? [`certfile ${tls.certificate}`, `keyfile ${tls.key}`] : []),
      ...(tls?.ca ? [`cafile ${tls.ca}`, "require_certificate true"] : []),
      `allow_anonymous ${users ? "false" : "true"}`,
      ...(users && !mayRead ? [`password_file ${access}`] : []),
      ...(mayRead ? [`plugin ${DYNAMIC_SECURITY}`, `plugin_opt_config_file ${access}`] : []),
      "persistence true",
      `persistence_location ${folder}/`,
      // With every change, so that a broker that is killed knows its sessions.
      "autosave_on_changes true",
      "autosave_interval 1",
      "max_queued_messages 0",
      "user root",
      ...settings,
      "",
    ].join("\n"),
  );
  await chmod(folder, 0o755);
  const start = async () => {
    const started = await startChild(binary, ["-c", config]);
    await untilReady(started, "mosquitto", () => isListening(port));
    return started;
  };
  const server = await startRestartable(start, () => rm(folder, { recursive: true, force: true }));
  return Object.assign(server, { port, setUsers });
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
