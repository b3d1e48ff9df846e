import { assertSilence, type RabbitmqServer, startRabbitmq, until, whyNoRabbitmq } from "@fnbus/testing";
import { type Channel, type ChannelModel, connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificate } from "./brokers/certificate.ts";
import { askReport, type Platform, startPlatform } from "./brokers/platform.ts";
import { startReplica } from "./brokers/replica.ts";

const why = whyNoRabbitmq();
if (why) console.warn(`RabbitMQ's tests are skipped: ${why}`);

describe.skipIf(why !== undefined)("RabbitMQ", () => {
  const silence = assertSilence();
  let tls: ReturnType<typeof makeCertificate>;
  let rabbitmq: RabbitmqServer;
  let platform: Platform;
  let connection: ChannelModel;
  let channel: Channel;
  let replica: Awaited<ReturnType<typeof startReplica>>;

  const connectAgain = async () => {
    connection = await connect({ hostname: rabbitmq.host, port: rabbitmq.port });
    connection.on("error", () => undefined);
    channel = await connection.createChannel();
  };
  beforeAll(async () => {
    tls = makeCertificate();
    [rabbitmq, platform] = await Promise.all([startRabbitmq({ tls }), startPlatform()]);
    await connectAgain();
    replica = await startReplica(platform.nats.url);
  });
  afterAll(async () => {
    await replica?.stop();
    await connection?.close().catch(() => undefined);
    await platform?.stop();
    await rabbitmq?.stop();
    silence.assert();
  });

  const address = () => ({ host: rabbitmq.host, port: rabbitmq.port });
  const report = (id: string) => askReport(platform, id);
  const runs = (id: string) => until("the trigger runs", async () => (await report(id))?.state === "Running", 20_000);
  const fails = async (id: string) => {
    await until("the trigger failed", async () => (await report(id))?.state === "Failed", 20_000);
    return (await report(id)).error;
  };
  const numbers = (count: number) => Array.from({ length: count }, (_, n) => String(n));
  const depth = async (queue: string) => (await channel.checkQueue(queue)).messageCount;

  it("hands every function whose topics match the routing key the bytes as they were sent", async () => {
    await platform.createFunction("exact", "orders.new");
    await platform.createFunction("wild", "orders.*");
    await platform.createFunction("other", "invoices.#");
    const trigger = await platform.createTrigger({
      type: "rabbitmq",
      config: { ...address(), exchange: "shop", exchangeType: "topic", queue: "shop", topics: "orders.#, nothing" },
    });
    await runs(trigger.id);
    // A number that JSON.parse would change.
    const body = '{ "n": 12345678901234567890 }';
    const headers = { "x-customer": "7", Host: "evil", "x-fnbus-space": "evil" };
    channel.publish("shop", "orders.new", Buffer.from(body), { contentType: "application/json", headers });
    channel.publish("shop", "orders.old.one", Buffer.from("unmatched"));
    await until("both are called", async () => (await platform.kept("wild")).length === 1);
    await until("it is unmatched", async () => (await report(trigger.id)).details.unmatched === 1);
    const [exact] = await platform.kept("exact");
    expect(exact!.body).toBe(body);
    expect(exact!.headers).toEqual({ "x-topic": "orders.new", "content-type": "application/json", "x-customer": "7" });
    expect(await platform.kept("other")).toEqual([]);
    await until("all is acknowledged", async () => (await report(trigger.id)).details.unacknowledged === 0);
  });

  it("makes one event of a batch, to the letter of FunctionGraph's form", async () => {
    await platform.createFunction("batched");
    const trigger = await platform.createTrigger({
      type: "rabbitmq",
      function: { name: "batched", qualifier: "latest" },
      config: {
        ...{ ...address(), exchange: "exchange-test", exchangeType: "fanout", queue: "batched" },
        ...{ form: "functiongraph", batchSize: 3, batchWindowMs: 10_000, instanceId: "81335d56", region: "eu-de" },
      },
    });
    await runs(trigger.id);
    for (const n of numbers(3)) channel.publish("exchange-test", "", Buffer.from(`rabbitmq message${n}`));
    await until("the batch is there", async () => (await platform.kept("batched")).length === 1);
    expect(JSON.parse((await platform.kept("batched"))[0]!.body)).toEqual({
      ...{ event_version: "v1.0", event_time: expect.any(Number), trigger_type: "RABBITMQ", region: "eu-de" },
      records: [
        {
          messages: numbers(3).map((n) => `rabbitmq message${n}`),
          ...{ instance_id: "81335d56", exchange: "exchange-test" },
        },
      ],
    });
  });

  it("names a message that has an id, so that a copy is the same invocation (L9)", async () => {
    await platform.createFunction("named");
    const trigger = await platform.createTrigger({
      type: "rabbitmq",
      function: { name: "named", qualifier: "latest" },
      config: { ...address(), queue: "named" },
    });
    await runs(trigger.id);
    for (const messageId of ["a", "a", "b"]) channel.sendToQueue("named", Buffer.from(messageId), { messageId });
    await until("all came", async () => (await report(trigger.id)).received === 3);
    await until("all is acknowledged", async () => (await report(trigger.id)).details.unacknowledged === 0);
    expect((await platform.kept("named")).map(({ body }) => body).toSorted()).toEqual(["a", "b"]);
  });

  it("gives up a message over 6 MB by a record, then goes past it (I6)", async () => {
    await platform.createFunction("poisoned");
    const trigger = await platform.createTrigger({
      type: "rabbitmq",
      function: { name: "poisoned", qualifier: "latest" },
      config: { ...address(), queue: "poisoned" },
    });
    await runs(trigger.id);
    channel.sendToQueue("poisoned", Buffer.alloc(6 * 1024 * 1024 + 1), { messageId: "large" });
    channel.sendToQueue("poisoned", Buffer.from("after"));
    await until("the one after is there", async () => (await platform.kept("poisoned")).length === 1);
    await until("it is a record", async () => (await platform.giveUps(trigger.name)).length === 1);
    expect((await platform.giveUps(trigger.name))[0]).toMatchObject({ what: "rabbitmq message poisoned large" });
    await until("both are acknowledged", async () => (await report(trigger.id)).details.unacknowledged === 0);
  });

  it("says Not Authorized, and runs when the password is mended", async () => {
    await platform.createFunction("guarded");
    const trigger = await platform.createTrigger({
      type: "rabbitmq",
      function: { name: "guarded", qualifier: "latest" },
      config: { ...address(), queue: "guarded", username: "guest", password: "wrong" },
    });
    expect(await fails(trigger.id)).toMatchObject({ code: "source_unauthorized", message: "Not Authorized" });
    const held = platform.triggers.triggerById(trigger.id)!;
    const config = { ...held.trigger.config, password: "guest" };
    await platform.triggers.updateTrigger({ ...held.trigger, config } as never, held.revision);
    await runs(trigger.id);
  });

  it("says what of the broker is missing or otherwise than told", async () => {
    await platform.createFunction("lost");
    const make = (config: object) =>
      platform.createTrigger({
        type: "rabbitmq",
        function: { name: "lost", qualifier: "latest" },
        config: { ...address(), queue: "lost", ...config },
      });
    const vhost = await make({ vhost: "nowhere" });
    expect(await fails(vhost.id)).toMatchObject({ code: "source_topic_missing" });
    const exchange = await make({ exchange: "nowhere" });
    expect(await fails(exchange.id)).toMatchObject({ code: "source_topic_missing" });
    const mismatch = await make({ exchange: "amq.topic", exchangeType: "direct" });
    expect(await fails(mismatch.id)).toMatchObject({ code: "source_failed", message: /PRECONDITION_FAILED/ });
    const untrusted = await make({ port: rabbitmq.tlsPort, tls: {} });
    expect(await fails(untrusted.id)).toMatchObject({ code: "source_tls_failed" });
    const trusted = await make({ port: rabbitmq.tlsPort, tls: { ca: tls.certificate } });
    await runs(trusted.id);
    const forbidden = await make({ host: "169.254.169.254" });
    expect(await fails(forbidden.id)).toMatchObject({ code: "broker_address_forbidden" });
    const closed = await make({ port: 1 });
    expect(await fails(closed.id)).toMatchObject({ code: "source_unreachable" });
  });

  it("declares a deleted queue anew", async () => {
    await platform.createFunction("again");
    const trigger = await platform.createTrigger({
      type: "rabbitmq",
      function: { name: "again", qualifier: "latest" },
      config: { ...address(), queue: "again" },
    });
    await runs(trigger.id);
    await channel.deleteQueue("again");
    const other = await connection.createChannel();
    other.on("error", () => undefined);
    await until("it is there again", async () => {
      const asked = await connection.createChannel();
      asked.on("error", () => undefined);
      return asked.checkQueue("again").then(
        () => true,
        () => false,
      );
    });
    await runs(trigger.id);
    channel.sendToQueue("again", Buffer.from("1"));
    await until("it is there", async () => (await platform.kept("again")).length === 1);
  });

  it("loses nothing: two replicas, one killed with messages in hand, the broker killed (I5, I6)", async () => {
    await platform.createFunction("counted");
    const killed = await platform.startReplica();
    const trigger = await platform.createTrigger({
      type: "rabbitmq",
      function: { name: "counted", qualifier: "latest" },
      config: { ...address(), queue: "counted", prefetch: 50 },
    });
    await runs(trigger.id);
    // RabbitMQ's own book of its queues is written with a delay of seconds: a kill before would lose the queue.
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    const all = numbers(3_000);
    const confirming = await connection.createConfirmChannel();
    for (const n of all) confirming.sendToQueue("counted", Buffer.from(n), { messageId: n, persistent: true });
    await until("some are there", async () => (await report(trigger.id)).received > 300);
    await killed.kill();
    await confirming.waitForConfirms();
    await rabbitmq.restart();
    await connectAgain();
    await until("the queue is empty", async () => (await depth("counted")) === 0, 30_000);
    await until("all is acknowledged", async () => (await report(trigger.id)).details.unacknowledged === 0);
    const bodies = (await platform.kept("counted")).map(({ body }) => Number(body));
    expect(bodies.toSorted((a, b) => a - b)).toEqual(all.map(Number));
  });
});
