import { assertSilence, type KafkaServer, startKafka, until, whyNoKafka } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificate } from "./brokers/certificate.ts";
import { type KafkaPeers, startKafkaPeers } from "./brokers/kafka-peers.ts";
import { askReport, type Platform } from "./brokers/platform.ts";

const why = whyNoKafka();
if (why) console.warn(`Kafka's tests are skipped: ${why}`);

describe.skipIf(why !== undefined)("Kafka", () => {
  const silence = assertSilence();
  let tls: ReturnType<typeof makeCertificate>;
  let peers: KafkaPeers<KafkaServer>;
  let kafka: KafkaServer;
  let platform: Platform;
  let admin: KafkaPeers<KafkaServer>["admin"];
  let producer: KafkaPeers<KafkaServer>["producer"];

  beforeAll(async () => {
    tls = makeCertificate();
    peers = await startKafkaPeers(startKafka({ tls }), ({ broker }) => [broker]);
    ({ kafka, platform, admin, producer } = peers);
  });
  afterAll(async () => {
    await peers?.stop();
    silence.assert();
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

  const fails = async (id: string) => {
    await until("the trigger failed", async () => (await askReport(platform, id))?.state === "Failed", 20_000);
    return (await askReport(platform, id)).error;
  };

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

  it("gives up tombstones and records over 6 MB by a record, then goes past them (I6)", async () => {
    await platform.createFunction("poisoned");
    await makeTopic("poisoned");
    const trigger = await platform.createTrigger({
      type: "kafka",
      function: { name: "poisoned", qualifier: "latest" },
      config: { brokers: [kafka.broker], topics: ["poisoned"] },
    });
    await runs(trigger.id);
    await send("poisoned", ["a", undefined]);
    await send("poisoned", ["x".repeat(6 * 1024 * 1024)]);
    await send("poisoned", ["b"]);
    await until("all others are there", async () => (await messagesOf("poisoned")).length === 2, 15_000);
    expect(await messagesOf("poisoned")).toEqual(["a", "b"]);
    await until("both are records", async () => (await platform.giveUps(trigger.name)).length === 2);
    const given = (await platform.giveUps(trigger.name)).map(({ what }) => what);
    expect(given.toSorted()).toEqual(["kafka record poisoned/0@1", "kafka record poisoned/0@2"]);
    const [partition] = (await askReport(platform, trigger.id)).details.partitions;
    expect(partition).toMatchObject({ position: 4, end: 4, lag: 0 });
  });

  it("says that a topic is missing, reads it when it is made, and anew when it is made again (L10)", async () => {
    await platform.createFunction("remade");
    const trigger = await platform.createTrigger({
      type: "kafka",
      function: { name: "remade", qualifier: "latest" },
      config: { brokers: [kafka.broker], topics: ["remade"] },
    });
    expect(await fails(trigger.id)).toMatchObject({ code: "source_topic_missing" });
    await makeTopic("remade");
    await send("remade", ["1", "2"]);
    await until("its records are there", async () => (await messagesOf("remade")).length === 2, 20_000);
    await admin.deleteTopics({ topics: ["remade"] });
    await until("it is gone", async () => (await askReport(platform, trigger.id)).state === "Failed", 20_000);
    await makeTopic("remade");
    await send("remade", ["3"]);
    await until("the new topic's record is there", async () => (await messagesOf("remade")).length === 3, 30_000);
    expect(await messagesOf("remade")).toEqual(["1", "2", "3"]);
  });

  it("says what keeps it from its broker, and runs when that is mended", async () => {
    await platform.createFunction("guarded");
    await makeTopic("guarded");
    const { name: username, passwords } = kafka.user;
    const login = { mechanism: "PLAIN" as const, username };
    const config = { brokers: [kafka.saslBroker], topics: ["guarded"], tls: { ca: tls.certificate } };
    const trigger = await platform.createTrigger({
      type: "kafka",
      function: { name: "guarded", qualifier: "latest" },
      config: { ...config, sasl: { ...login, password: "wrong" } },
    });
    expect(await fails(trigger.id)).toMatchObject({ code: "source_unauthorized", message: "Not Authorized" });
    const mended = { ...config, sasl: { ...login, password: passwords.PLAIN } };
    const change = async (now: object) => {
      const held = platform.triggers.triggerById(trigger.id)!;
      await platform.triggers.updateTrigger({ ...held.trigger, config: now } as never, held.revision);
    };
    await change(mended);
    await runs(trigger.id);
    await change({ ...mended, tls: {} });
    expect(await fails(trigger.id)).toMatchObject({ code: "source_tls_failed" });
    await change({ ...mended, brokers: ["169.254.169.254:9092"] });
    await until("it is forbidden", async () => {
      const { error } = await askReport(platform, trigger.id);
      return error?.code === "broker_address_forbidden";
    });
    await change({ ...mended, brokers: ["127.0.0.1:1"] });
    await until("it is unreachable", async () => {
      const { error } = await askReport(platform, trigger.id);
      return error?.code === "source_unreachable";
    });
  });

  it("gives up by name what the broker deleted before it was read (I6)", async () => {
    await platform.createFunction("late");
    await makeTopic("late");
    const trigger = await platform.createTrigger({
      type: "kafka",
      function: { name: "late", qualifier: "latest" },
      config: { brokers: [kafka.broker], topics: ["late"] },
    });
    await runs(trigger.id);
    await send("late", ["0"]);
    await until("the first is there", async () => (await messagesOf("late")).length === 1);
    const pause = async (enabled: boolean) => {
      const held = platform.triggers.triggerById(trigger.id)!;
      await platform.triggers.updateTrigger({ ...held.trigger, enabled }, held.revision);
      const state = enabled ? "Running" : "Paused";
      await until(`it is ${state}`, async () => (await askReport(platform, trigger.id))?.state === state, 15_000);
    };
    await pause(false);
    await send("late", ["1", "2", "3"]);
    await admin.deleteRecords({ topics: [{ name: "late", partitions: [{ partition: 0, offset: 3n }] }] });
    await pause(true);
    await until("the last is there", async () => (await messagesOf("late")).length === 2, 15_000);
    expect(await messagesOf("late")).toEqual(["0", "3"]);
    expect((await platform.giveUps(trigger.name)).map(({ what }) => what)).toEqual(["kafka records late/0@1-2"]);
  });

  it("waits for a function that does not exist, and loses nothing meanwhile", async () => {
    await makeTopic("early");
    const trigger = await platform.createTrigger({
      type: "kafka",
      function: { name: "early", qualifier: "latest" },
      config: { brokers: [kafka.broker], topics: ["early"] },
    });
    expect(await fails(trigger.id)).toMatchObject({ code: "function_not_found" });
    await send("early", ["1", "2"]);
    await platform.createFunction("early");
    await until("both are there", async () => (await messagesOf("early")).length === 2, 15_000);
  });

  it("pauses while the function's backlog is full, and goes on where it was (L23)", async () => {
    await platform.startLedger({ FNBUS_FUNCTION_BACKLOG: "10" });
    await platform.createFunction("full");
    await makeTopic("full");
    const trigger = await platform.createTrigger({
      type: "kafka",
      function: { name: "full", qualifier: "latest" },
      config: { brokers: [kafka.broker], topics: ["full"], batchSize: 1 },
    });
    await runs(trigger.id);
    await send("full", numbers(0, 20));
    await until("the first are there", async () => (await messagesOf("full")).length === 20);
    // The ledger announces every second what is full.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await send("full", numbers(20, 300));
    await until("it says why it pauses", async () => {
      const { error } = await askReport(platform, trigger.id);
      return error?.code === "function_backlog_full";
    });
    expect((await messagesOf("full")).length).toBe(20);
    await platform.startLedger({});
    await until("all are there", async () => (await messagesOf("full")).length === 300, 20_000);
    expect(await messagesOf("full")).toEqual(numbers(0, 300));
  });

  it("keeps each record once: three replicas, one killed, the broker killed, the ledger killed (I5, I6, L10)", async () => {
    await platform.createFunction("counted");
    await makeTopic("counted", 4);
    const killed = await platform.startReplica();
    const trigger = await platform.createTrigger({
      type: "kafka",
      function: { name: "counted", qualifier: "latest" },
      config: { brokers: [kafka.broker], topics: ["counted"], batchSize: 7 },
    });
    await runs(trigger.id);
    const total = 2_000;
    let sent = 0;
    const sending = (async () => {
      for (; sent < total; sent += 20)
        for (const partition of [0, 1, 2, 3]) await send("counted", numbers(sent, sent + 20), partition);
    })();
    await until("some are sent", () => sent > 400, 20_000);
    await killed.kill();
    await until("more are sent", () => sent > 800, 20_000);
    const late = await platform.startReplica();
    await until("more are sent", () => sent > 1_200, 20_000);
    await platform.startLedger();
    await sending;
    await kafka.restart();
    await late.kill();
    const expected = numbers(0, total);
    const all = async () =>
      (await platform.kept("counted")).reduce((sum, { body }) => sum + JSON.parse(body).records[0].messages.length, 0);
    await until("all are there", async () => (await all()) >= 4 * total, 40_000);
    const partitions = Map.groupBy(await platform.kept("counted"), ({ source }) => source);
    expect(partitions.size).toBe(4);
    for (const batches of partitions.values())
      expect(batches.flatMap(({ body }) => JSON.parse(body).records[0].messages)).toEqual(expected);
  });
});
