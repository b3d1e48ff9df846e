import { assertSilence, type KafkaCluster, startKafkaCluster, until, whyNoKafka } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type KafkaPeers, startKafkaPeers } from "./brokers/kafka-peers.ts";
import { askReport, type Platform } from "./brokers/platform.ts";

const why = whyNoKafka();
if (why) console.warn(`Kafka's tests are skipped: ${why}`);

const partitions = [0, 1, 2];

describe.skipIf(why !== undefined)("three brokers of Kafka", () => {
  const silence = assertSilence();
  let dead: KafkaCluster["members"][number] | undefined;
  let peers: KafkaPeers<KafkaCluster>;
  let kafka: KafkaCluster;
  let platform: Platform;
  let admin: KafkaPeers<KafkaCluster>["admin"];
  let producer: KafkaPeers<KafkaCluster>["producer"];

  beforeAll(async () => {
    peers = await startKafkaPeers(startKafkaCluster(3), ({ brokers }) => brokers, 0);
    ({ kafka, platform, admin, producer } = peers);
    // What goes wrong is thrown too.
    for (const client of [admin, producer]) client.on("error", () => undefined);
  });
  afterAll(async () => {
    await peers?.stop();
    silence.assert();
  });

  /** The broker that leads a new topic's first partition. */
  async function leaderOf(topic: string) {
    let node = 0;
    const isLed = async () => {
      const found = await admin.metadata({ topics: [topic], forceUpdate: true }).catch(() => undefined);
      node = found?.topics.get(topic)?.partitions[0]?.leader ?? 0;
      return node > 0;
    };
    await until("the topic is led", isLed, 30_000);
    return kafka.members[node - 1]!;
  }

  /** Sends to each partition in turn. What was acknowledged is kept by offset; what was not is not sent again. */
  function startSending(topic: string) {
    const acknowledged = partitions.map(() => new Map<number, string>());
    let isOver = false;
    const sending = (async () => {
      for (let n = 0; !isOver; n++) {
        for (const partition of partitions) {
          const value = `${partition}/${n}`;
          const message = { topic, partition, key: "k", value };
          const sent = await producer.send({ messages: [message], acks: -1 }).catch(() => producer.clearMetadata());
          if (sent) acknowledged[partition]!.set(Number(sent.offsets![0]!.offset), value);
        }
      }
    })();
    return {
      acknowledged,
      /** Of the partition that has the fewest. */
      count: () => Math.min(...acknowledged.map(({ size }) => size)),
      async stop() {
        isOver = true;
        await sending;
      },
    };
  }

  /** What became of each partition: offset and value of all records of its invocations, in the order of the log. */
  async function invoked(name: string) {
    const entries = partitions.map((): [number, string][] => []);
    for (const { body, position } of await platform.kept(name)) {
      const messages: string[] = JSON.parse(body).records[0].messages;
      for (const [index, value] of messages.entries())
        entries[Number(value.split("/")[0])]!.push([position!.first + index, value]);
    }
    return entries;
  }

  it.each([
    ["all, and one that has no address", () => ["gone.invalid:9092", ...kafka.brokers]],
    ["only the one", (killed: string) => [killed]],
  ])(
    "a leader is killed, and the trigger names %s: each record once, in order (I5, I6, L10)",
    async (what, toNamed) => {
      const name = what.replaceAll(/\W+/g, "-");
      await dead?.restart();
      await platform.createFunction(name);
      const configs = [{ name: "min.insync.replicas", value: "2" }];
      await admin.createTopics({ topics: [name], partitions: partitions.length, replicas: 3, configs });
      const leader = await leaderOf(name);
      const trigger = await platform.createTrigger({
        type: "kafka",
        function: { name, qualifier: "latest" },
        config: { brokers: [...toNamed(leader.broker)], topics: [name], batchSize: 7 },
      });
      await until("the trigger runs", async () => (await askReport(platform, trigger.id))?.state === "Running", 30_000);
      const sender = startSending(name);
      await until("records flow", () => sender.count() >= 50, 30_000);
      await leader.kill();
      dead = leader;
      const before = sender.count();
      await until("records flow without it", () => sender.count() >= before + 50, 60_000);
      await sender.stop();
      const ends = sender.acknowledged.map((one) => Math.max(...one.keys()));
      const isThere = async () =>
        (await invoked(name)).every((entries, partition) => (entries.at(-1)?.[0] ?? -1) >= ends[partition]!);
      await until("all are there", isThere, 60_000);
      for (const [partition, entries] of (await invoked(name)).entries()) {
        expect(entries.map(([offset]) => offset)).toEqual(entries.map((_, index) => index));
        const acknowledged = [...sender.acknowledged[partition]!];
        expect(entries.filter(([offset]) => sender.acknowledged[partition]!.has(offset))).toEqual(acknowledged);
      }
    },
    180_000,
  );
});
