import { randomUUID } from "node:crypto";
import { freePorts } from "./free-port.ts";
import { type KafkaListener, type KafkaNode, makeClusterId, startKafkaNode } from "./kafka-node.ts";

export interface KafkaOptions {
  /** Where clients of `outsidePort` are sent on to: a relay that others reach it by. */
  reachedAs?: { host: string; port: number };
  /** PEM. With it `saslBroker` speaks TLS. */
  tls?: { certificate: string; key: string };
  /** PEM, beside `tls`: whose certificates `certificateBroker` asks of its clients. */
  clientAuthority?: string;
}

export interface KafkaServer extends KafkaNode {
  /** "127.0.0.1:port": without credentials. */
  readonly broker: string;
  /** The same broker for who knows a user and password, by any of `saslMechanisms`. */
  readonly saslBroker: string;
  /** The same broker by TLS, for who has a certificate of the client authority. Listens only where there is one. */
  readonly certificateBroker: string;
  /** Listens without credentials too, and names itself as `reachedAs` says. */
  readonly outsidePort: number;
  /** A password for each mechanism, so that none passes for another. */
  readonly user: { name: string; passwords: Readonly<Record<SaslMechanism, string>> };
}

const scramMechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-512"] as const;
export const saslMechanisms = ["PLAIN", ...scramMechanisms] as const;
type SaslMechanism = (typeof saslMechanisms)[number];

const modules = "org.apache.kafka.common.security";
const inOneLine = (pem: string): string => pem.replaceAll("\n", "\\n");

/** How the listener LOGIN knows its user. Those of SCRAM stand in the formatted storage. */
const toLogins = ({ name, passwords }: KafkaServer["user"]): Record<string, string> => ({
  "sasl.enabled.mechanisms": saslMechanisms.join(),
  "listener.name.login.plain.sasl.jaas.config": `${modules}.plain.PlainLoginModule required user_${name}="${passwords.PLAIN}";`,
  ...Object.fromEntries(
    scramMechanisms.map((mechanism) => [
      `listener.name.login.${mechanism.toLowerCase()}.sasl.jaas.config`,
      `${modules}.scram.ScramLoginModule required;`,
    ]),
  ),
});

const toTls = ({ tls, clientAuthority }: KafkaOptions): Record<string, string> => ({
  ...(tls && {
    "ssl.keystore.type": "PEM",
    "ssl.keystore.certificate.chain": inOneLine(tls.certificate),
    "ssl.keystore.key": inOneLine(tls.key),
  }),
  ...(clientAuthority !== undefined && {
    "listener.name.certificate.ssl.client.auth": "required",
    "listener.name.certificate.ssl.truststore.type": "PEM",
    "listener.name.certificate.ssl.truststore.certificates": inOneLine(clientAuthority),
  }),
});

/** A real Apache Kafka: one node, broker and controller (KRaft), on free ports of 127.0.0.1. It ends with this process. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  const { tls, clientAuthority, reachedAs } = options;
  const passwords = { PLAIN: randomUUID(), "SCRAM-SHA-256": randomUUID(), "SCRAM-SHA-512": randomUUID() };
  const user = { name: "reader", passwords };
  const [plain = 0, login = 0, controller = 0, outside = 0, certificate = 0] = await freePorts(5);
  const listeners: KafkaListener[] = [
    { name: "PLAIN", port: plain, protocol: "PLAINTEXT" },
    { name: "LOGIN", port: login, protocol: tls ? "SASL_SSL" : "SASL_PLAINTEXT" },
    { name: "OUTSIDE", port: outside, protocol: "PLAINTEXT", reachedAs },
  ];
  if (clientAuthority !== undefined) listeners.push({ name: "CERTIFICATE", port: certificate, protocol: "SSL" });
  const node = await startKafkaNode({
    ...{ id: 1, clusterId: makeClusterId(), controllers: [controller], listeners },
    properties: { ...toLogins(user), ...toTls(options) },
    formatting: scramMechanisms.flatMap((mechanism) => [
      "--add-scram",
      `${mechanism}=[name=${user.name},password=${passwords[mechanism]}]`,
    ]),
  });
  return Object.assign(node, {
    broker: `127.0.0.1:${plain}`,
    saslBroker: `127.0.0.1:${login}`,
    certificateBroker: `127.0.0.1:${certificate}`,
    outsidePort: outside,
    user,
  });
}
