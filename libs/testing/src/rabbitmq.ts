import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, type Restartable, says, startChild, startRestartable, untilReady } from "./child.ts";
import { findBinaries } from "./find-binary.ts";
import { freePorts } from "./free-port.ts";

export interface RabbitmqOptions {
  /** PEM. With it `tlsPort` speaks TLS. */
  tls?: { certificate: string; key: string };
}

export interface RabbitmqServer extends Restartable {
  readonly host: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly user: { name: string; password: string };
}

/** The start script itself: Debian's wrapper on PATH changes the user. */
const SCRIPTS = ["/usr/lib/rabbitmq/bin/rabbitmq-server", "/opt/homebrew/sbin/rabbitmq-server"];
/** An Erlang node takes its time. */
const READY_MS = 60_000;

const findScript = (): string | undefined => SCRIPTS.find(existsSync) ?? findBinaries("rabbitmq-server")[0];

/** Why no RabbitMQ can be started on this machine; undefined: it can. */
export function whyNoRabbitmq(): string | undefined {
  if (!findScript()) return "rabbitmq-server was not found (Debian: rabbitmq-server)";
  if (findBinaries("epmd").length === 0) return "epmd was not found (Debian: erlang-base)";
  return undefined;
}

/** A real RabbitMQ on free ports of 127.0.0.1, a node and port mapper of its own. Both end with this process. */
export async function startRabbitmq({ tls }: RabbitmqOptions = {}): Promise<RabbitmqServer> {
  const reason = whyNoRabbitmq();
  if (reason !== undefined) throw new Error(reason);
  const [port, distribution, mapper, tlsPort] = (await freePorts(4)) as [number, number, number, number];
  const dataDir = await mkdtemp(join(tmpdir(), "fnbus-rabbitmq-"));
  const user = { name: "guest", password: "guest" };
  const config = join(dataDir, "rabbitmq.conf");
  const settings = ["disk_free_limit.absolute = 50MB", "vm_memory_high_watermark.absolute = 1GB"];
  if (tls) {
    const [certificate, key] = [join(dataDir, "certificate.pem"), join(dataDir, "key.pem")];
    await Promise.all([writeFile(certificate, tls.certificate), writeFile(key, tls.key)]);
    settings.push(`listeners.ssl.1 = 127.0.0.1:${tlsPort}`, `ssl_options.cacertfile = ${certificate}`);
    settings.push(`ssl_options.certfile = ${certificate}`, `ssl_options.keyfile = ${key}`);
  }
  await writeFile(config, settings.map((line) => `${line}\n`).join(""));
  const plugins = join(dataDir, "enabled_plugins");
  await writeFile(plugins, "[].\n");
  const variables = {
    // The cookie is made there: the node talks to nobody.
    HOME: dataDir,
    ERL_EPMD_PORT: mapper,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_NODENAME: `fnbus${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_NODE_PORT: port,
    RABBITMQ_DIST_PORT: distribution,
    RABBITMQ_MNESIA_BASE: join(dataDir, "mnesia"),
    RABBITMQ_LOG_BASE: join(dataDir, "log"),
    RABBITMQ_CONFIG_FILE: config,
    RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
    RABBITMQ_PID_FILE: join(dataDir, "pid"),
    // The script becomes the node, so that a signal reaches it.
    RUNNING_UNDER_SYSTEMD: "true",
  };
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  // The node would start a mapper that stays for ever; this one ends with the test.
  const epmd = await startChild(findBinaries("epmd")[0]!, ["-address", "127.0.0.1", "-port", String(mapper)]);
  const start = async (): Promise<Child> => {
    const child = await startChild("/usr/bin/env", [...assignments, findScript()!]);
    await untilReady(child, "RabbitMQ", () => says(port, "not AMQP", /AMQP/), READY_MS);
    return child;
  };
  const server = await startRestartable(start, async () => {
    await epmd.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  return Object.assign(server, { host: "127.0.0.1", port, tlsPort, user });
}
