import type { KafkaConfig } from "@fnbus/contract";
import { assertSilence, type KafkaServer, saslMechanisms, startKafka, until, whyNoKafka } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificate } from "./brokers/certificate.ts";
import { type KafkaPeers, startKafkaPeers } from "./brokers/kafka-peers.ts";
import { askReport, type Platform } from "./brokers/platform.ts";

const why = whyNoKafka();
if (why) console.warn(`Kafka's tests are skipped: ${why}`);

describe.skipIf(why !== undefined)("who Kafka lets in", () => {
  const silence = assertSilence();
  let ca: string;
  let client: ReturnType<typeof makeCertificate>;
  let stranger: ReturnType<typeof makeCertificate>;
  let peers: KafkaPeers<KafkaServer>;
  let kafka: KafkaServer;
  let platform: Platform;
  let admin: KafkaPeers<KafkaServer>["admin"];
  let producer: KafkaPeers<KafkaServer>["producer"];

  beforeAll(async () => {
    const server = makeCertificate();
    ca = server.certificate;
    client = makeCertificate();
    stranger = makeCertificate();
    const starting = startKafka({ tls: server, clientAuthority: client.certificate });
    peers = await startKafkaPeers(starting, ({ broker }) => [broker]);
    ({ kafka, platform, admin, producer } = peers);
  });
  afterAll(async () => {
    await peers?.stop();
    silence.assert();
  });

  /** A trigger of a function and a topic of this name. */
  async function read(name: string, access: Pick<KafkaConfig, "brokers" | "sasl" | "tls">) {
    await platform.createFunction(name);
    await admin.createTopics({ topics: [name], partitions: 1, replicas: 1 });
    const config = { topics: [name], ...access };
    return platform.createTrigger({ type: "kafka", function: { name, qualifier: "latest" }, config });
  }
  const change = async (id: string, access: Pick<KafkaConfig, "sasl" | "tls">) => {
    const { trigger, revision } = platform.triggers.triggerById(id)!;
    await platform.triggers.updateTrigger(
      { ...trigger, config: { ...trigger.config, ...access } } as typeof trigger,
      revision,
    );
  };
  /** All that is said of a trigger that is kept out. */
  const fails = async (id: string) => {
    const isOut = async () => {
      const report = await askReport(platform, id);
      // The function may have come to the replica after the trigger.
      return report?.state === "Failed" && report.error.code !== "function_not_found";
    };
    await until("the broker does not let it in", isOut, 20_000);
    return askReport(platform, id);
  };
  const delivers = async (name: string, id: string) => {
    await until("the trigger runs", async () => (await askReport(platform, id))?.state === "Running", 20_000);
    await producer.send({ messages: [{ topic: name, key: "k", value: `to ${name}` }], acks: -1 });
    await until("the record is there", async () => (await platform.kept(name)).length === 1, 20_000);
    const [one] = await platform.kept(name);
    expect(JSON.parse(one!.body).records[0].messages).toEqual([`to ${name}`]);
  };

  it.each(saslMechanisms)("%s: a wrong password is refused, the right one delivers", async (mechanism) => {
    const { name: username, passwords } = kafka.user;
    const sasl = { mechanism, username, password: passwords[mechanism] };
    const brokers = [kafka.saslBroker];
    const trigger = await read(mechanism, { brokers, tls: { ca }, sasl: { ...sasl, password: "wrong" } });
    const { error } = await fails(trigger.id);
    expect(error).toMatchObject({ code: "source_unauthorized", message: "Not Authorized" });
    await change(trigger.id, { sasl });
    await delivers(mechanism, trigger.id);
  });

  it("a client without a certificate is told that one is asked for, one with the right certificate delivers", async () => {
    const trigger = await read("certified", { brokers: [kafka.certificateBroker], tls: { ca } });
    const { error } = await fails(trigger.id);
    expect(error).toMatchObject({
      code: "source_tls_failed",
      message: expect.stringMatching(/asks for a certificate/),
    });
    await change(trigger.id, { tls: { ca, certificate: client.certificate, key: client.key } });
    await delivers("certified", trigger.id);
  });

  it.each<[string, () => { certificate?: string; key?: string }, RegExp]>([
    ["of a stranger", () => stranger, /asks for a certificate that it trusts/],
    ["with a stranger's key", () => ({ ...client, key: stranger.key }), /not the key of tls.certificate/],
    ["that is none", () => ({ ...client, certificate: "none" }), /no certificate in PEM/],
    ["with a key cut off", () => ({ ...client, key: client.key.slice(0, 100) }), /no key in PEM/],
    ["without its key", () => ({ certificate: client.certificate }), /of use together only/],
    ["that is missing beside its key", () => ({ key: client.key }), /of use together only/],
  ])("a certificate %s is refused in words, and its key is shown to nobody", async (what, toOwn, message) => {
    const own = toOwn();
    const name = what.replaceAll(/\W/g, "-");
    const trigger = await read(name, { brokers: [kafka.certificateBroker], tls: { ca, ...own } });
    const report = await fails(trigger.id);
    expect(report.error).toMatchObject({ code: "source_tls_failed", message: expect.stringMatching(message) });
    const [, secret] = (own.key ?? client.key).split("\n");
    expect(secret!.length).toBeGreaterThan(40);
    expect(JSON.stringify(report)).not.toContain(secret!.slice(0, 16));
  });
});
