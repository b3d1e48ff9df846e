import { connect } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import type { BrokerGuard } from "@fnbus/sources";
import type { StreamBuilder } from "mqtt";
import { type MqttTrigger, portOf } from "../core/subscriptions.ts";

export type SocketOpener = (config: MqttTrigger["config"]) => ReturnType<StreamBuilder>;

/** Opens connections to brokers: to the addresses that the guard has checked and no others. */
export const createSocketOpener =
  (guard: BrokerGuard): SocketOpener =>
  (config) => {
    const { host, tls } = config;
    // Acknowledgements leave at once: what waits in the kernel when the process dies is invoked a second time.
    const to = { host, port: portOf(config), lookup: guard.lookup, noDelay: true };
    if (!tls) return connect(to);
    const options: ConnectionOptions = {
      ...to,
      rejectUnauthorized: tls.verify !== false,
      ...(tls.serverName !== undefined && { servername: tls.serverName }),
      ...(tls.ca !== undefined && { ca: tls.ca }),
      ...(tls.certificate !== undefined && { cert: tls.certificate }),
      ...(tls.key !== undefined && { key: tls.key }),
    };
    return connectTls(options);
  };
