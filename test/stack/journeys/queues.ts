import { startKafka, startRabbitmq, whyNoKafka, whyNoRabbitmq } from "@fnbus/testing";
import { Admin, Producer, stringSerializers } from "@platformatic/kafka";
import { Connection } from "rabbitmq-client";
import { createTrigger, deployReporter, expectAllReported, newToken, runs } from "../events.ts";
import { startRelay } from "../relay.ts";
import type { Journey } from "./journey.ts";

const RECORDS = 3000;
const MESSAGES = 300;

export const kafkaRecords: Journey = {
  name: "kafka-records",
  shows: "I6, L10: each record once over two readers, one of them killed, the broker of records restarted",
  needs: { replicas: { "event-ingest": 2 } },
  impossible: whyNoKafka,
  async travel(stack) {
    const relay = await startRelay(() => kafka.outsidePort);
    const kafka = await startKafka({ reachedAs: { host: stack.host, port: relay.port } });
    const admin = new Admin({ clientId: "journey", bootstrapBrokers: [kafka.broker] });
    const producer = new Producer({
      ...{ clientId: "journey", bootstrapBrokers: [kafka.broker], serializers: stringSerializers, retries: 20 },
    });
    try {
      await admin.createTopics({ topics: ["orders"], partitions: 3, replicas: 1 });
      await deployReporter(stack, "orders");
      const config = { brokers: [`${stack.host}:${relay.port}`], topics: ["orders"], from: "earliest", batchSize: 50 };
      await createTrigger(stack, { name: "orders", type: "kafka", function: { name: "orders" }, config });
      const tokens = Array.from({ length: RECORDS }, newToken);
      const send = async (some: string[]) => {
        const messages = some.map((value, at) => ({ topic: "orders", key: String(at), value, partition: at % 3 }));
        for (let at = 0; at < messages.length; at += 100)
          await producer.send({ messages: messages.slice(at, at + 100) });
      };
      await send(tokens.slice(0, RECORDS / 3));
      const [one] = stack.members("event-ingest");
      const killed = one!.kill();
      await send(tokens.slice(RECORDS / 3, (2 * RECORDS) / 3));
      await killed;
      await one!.restart();
      await kafka.restart();
      await send(tokens.slice((2 * RECORDS) / 3));
      await runs(stack, "orders");
      await expectAllReported(stack, tokens, { exactlyOnce: true, timeoutMs: 90_000 });
    } finally {
      await Promise.allSettled([producer.close(), admin.close()]);
      await relay.stop();
      await kafka.stop();
    }
  },
};

export const rabbitmqMessages: Journey = {
  name: "rabbitmq-messages",
  shows: "I6: each message that has an id once, though a reader is killed and its broker restarts",
  needs: { replicas: { "event-ingest": 2 } },
  impossible: whyNoRabbitmq,
  async travel(stack) {
    const rabbitmq = await startRabbitmq();
    const relay = await startRelay(() => rabbitmq.port);
    const { name: username, password } = rabbitmq.user;
    const connection = new Connection({ hostname: rabbitmq.host, port: rabbitmq.port, username, password });
    connection.on("error", () => undefined);
    const publisher = connection.createPublisher({ confirm: true, maxAttempts: 10, exchanges: [] });
    try {
      await deployReporter(stack, "payments", "payments.*");
      const broker = { host: stack.host, port: relay.port, username, password };
      const config = { ...broker, exchange: "events", exchangeType: "topic", queue: "payments", topics: "payments.#" };
      await createTrigger(stack, { name: "payments", type: "rabbitmq", config });
      const tokens = Array.from({ length: MESSAGES }, newToken);
      const send = async (some: string[]) => {
        for (const token of some) {
          const envelope = { exchange: "events", routingKey: "payments.eu", messageId: token, durable: true };
          await publisher.send(envelope, { token });
        }
      };
      await send(tokens.slice(0, MESSAGES / 3));
      const [one] = stack.members("event-ingest");
      const killed = one!.kill();
      await send(tokens.slice(MESSAGES / 3, (2 * MESSAGES) / 3));
      await killed;
      await rabbitmq.restart();
      await one!.restart();
      await send(tokens.slice((2 * MESSAGES) / 3));
      await runs(stack, "payments");
      await expectAllReported(stack, tokens, { exactlyOnce: true });
    } finally {
      await publisher.close();
      await connection.close();
      await relay.stop();
      await rabbitmq.stop();
    }
  },
};
