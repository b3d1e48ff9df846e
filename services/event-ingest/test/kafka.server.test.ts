import { type KafkaServer, startKafka, until, whyNoKafka } from "@fnbus/testing";
import { Admin, Producer, stringSerializers } from "@platformatic/kafka";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askReport, type Platform, startPlatform } from "./brokers/platform.ts";
import { startReplica } from "./brokers/replica.ts";

const why = whyNoKafka();
if (why) console.warn(`Kafka's tests are skipped: ${why}`);

describe.skipIf(why !== undefined)("Kafka", () => {
  let kafka: KafkaServer;
  let platform: Platform;
  let admin: Admin;
  let producer: Producer<string, string, string, string>;
  let replica: Awaited<ReturnType<typeof startReplica>>;

  beforeAll(async () => {
    [kafka, platform] = await Promise.all([startKafka(), startPlatform()]);
    const options = { clientId: "test", bootstrapBrokers: [kafka.broker] };
    admin = new Admin(options);
    producer = new Producer({ ...options, serializers: stringSerializers });
    replica = await startReplica(platform.nats.url);
  });
  afterAll(async () => {
    await replica?.stop();
    await Promise.allSettled([admin?.close(), producer?.close()]);
    await platform?.stop();
    await kafka?.stop();
  });

  const makeTopic = (topic: string, partitions = 1) => admin.createTopics({ topics: [topic], partitions, replicas: 1 });
  const send = (topic: string, values: (string | undefined)[], partition = 0) =>
    producer.send({
      messages: values.map((value) => ({ topic, partition, key: "k", ...(value !== undefined && { value }) })) as never,
      acks: -1,
    });
  const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => String(from + n));
  /** All messages of what was accepted for a function, in the order of the log. */
  const messagesOf = async (name: string) =>
    (await platform.kept(name)).flatMap(({ body }) => JSON.parse(body).records[0].messages as string[]);
  const runs = (id: string) =>
    until("the trigger runs", async () => (await askReport(platform, id))?.state === "Running", 20_000);

  it("makes one event of a batch, to the letter of FunctionGraph's form", async () => {
    await platform.createFunction("letters");
    await makeTopic("topic-test");
    const trigger = await platform.createTrigger({
      type: "kafka",
      function: { name: "letters", qualifier: "latest" },
      config: {
        ...{ brokers: [kafka.broker], topics: ["topic-test"], instanceId: "81335d56", region: "eu-de" },
        ...{ batchSize: 5, batchWindowMs: 10_000 },
      },
    });
    await runs(trigger.id);
    await send(
      "topic-test",
      numbers(1, 6).map((n) => `kafka message${n}`),
    );
    await until("the batch is there", async () => (await platform.kept("letters")).length === 1, 10_000);
    const [one] = await platform.kept("letters");
    expect(JSON.parse(one!.body)).toEqual({
      event_version: "v1.0",
      event_time: expect.any(Number),
      trigger_type: "KAFKA",
      region: "eu-de",
      instance_id: "81335d56",
      records: [{ messages: numbers(1, 6).map((n) => `kafka message${n}`), topic_id: "topic-test" }],
    });
    expect(one!.position).toEqual({ first: 0, last: 4 });
  });
});
