import { connectBus } from "@fnbus/bus";
import type { TriggerOf } from "@fnbus/contract";
import { createPublisher } from "@fnbus/publisher";
import { createBrokerGuard } from "@fnbus/sources";
import { createLogger } from "@fnbus/telemetry";
import { startKafka, until } from "@fnbus/testing";
import { Admin, Consumer, type Message, Producer, stringSerializers } from "@platformatic/kafka";
import { createKafkaKind } from "../src/in/kafka/kind.ts";
import { startPlatform } from "../test/brokers/platform.ts";

/**
 * Records a second from Kafka to durable invocations (fsync before every acknowledgement), beside a bare consumer of the same
 * library in the same run. Wall clock is shared with whatever else the machine does; CPU is this process's own.
 *
 *   node services/event-ingest/bench/kafka.ts [records] [batch size]
 */
const [records = 100_000, batchSize = 100] = process.argv.slice(2).map(Number);
const PARTITIONS = 4;
const VALUE = JSON.stringify({ order: 4711, customer: "a".repeat(150) });
const TOPIC = "orders";

interface Measured {
  seconds: number;
  cpuSeconds: number;
}

async function measure(work: () => Promise<void>): Promise<Measured> {
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - startedAt) / 1000, cpuSeconds: (user + system) / 1e6 };
}
function show(name: string, { seconds, cpuSeconds }: Measured): void {
  const rate = Math.round(records! / seconds).toLocaleString("en");
  console.log(
    `${name.padEnd(34)} ${rate.padStart(9)} records/s   ${((cpuSeconds / records!) * 1e6).toFixed(1)} µs CPU a record`,
  );
}

const [kafka, platform] = await Promise.all([startKafka(), startPlatform()]);
const options = { clientId: "bench", bootstrapBrokers: [kafka.broker] };
const admin = new Admin(options);
await admin.createTopics({ topics: [TOPIC], partitions: PARTITIONS, replicas: 1 });
const producer = new Producer({ ...options, serializers: stringSerializers });
for (let sent = 0; sent < records!; sent += 1000) {
  const messages = Array.from({ length: 1000 }, (_, n) => ({
    ...{ topic: TOPIC, key: String(sent + n), value: VALUE, partition: n % PARTITIONS },
  }));
  await producer.send({ messages, acks: -1 });
}

const bare = new Consumer({ ...options, groupId: "bare", autocommit: true });
const ofBare = await measure(async () => {
  const stream = await bare.consume({ topics: [TOPIC], mode: "earliest", maxWaitTime: 250 });
  let seen = 0;
  for await (const _ of stream as AsyncIterable<Message>) if (++seen === records) break;
});
await bare.close(true);

const bus = await connectBus({ servers: platform.nats.url, name: "event-ingest" });
const logger = createLogger("event-ingest", "error");
const publisher = createPublisher({ bus, logger, service: "event-ingest", partitions: 1, timeoutMs: 10_000 });
const guard = createBrokerGuard({ allow: [], allowLoopback: true });
const kind = createKafkaKind({ publisher, registry: platform.registry, logger, guard });
await platform.createFunction("measured");
const trigger = (await platform.createTrigger({
  type: "kafka",
  function: { name: "measured", qualifier: "latest" },
  config: { brokers: [kafka.broker], topics: [TOPIC], from: "earliest", batchSize: batchSize! },
})) as TriggerOf<"kafka">;
let published = 0;
const status = {
  ...{ running() {}, pending() {}, trouble() {}, received() {}, givenUp() {} },
  published(count = 1) {
    published += count;
  },
  failed: (code: string, message: string) => console.log(code, message),
};
interface Place {
  position: number;
  lag: number;
}
const ofTrigger = await measure(async () => {
  const source = kind.open(trigger, status);
  const places = () => (source.details!() as { partitions: Place[] }).partitions;
  /** A producer that repeated a batch has written more than it was told to. */
  const done = () =>
    places().every(({ lag }) => lag === 0) && places().reduce((sum, { position }) => sum + position, 0) >= records!;
  await until("all is durable", done, 120_000);
  console.log(`lag at the end: ${places().reduce((sum, { lag }) => sum + lag, 0)}; ${published} invocations`);
  await source.stop();
});
show("bare consumer of the library", ofBare);
show(`trigger, batches of ${batchSize}`, ofTrigger);

await publisher.close();
await bus.drain();
await Promise.allSettled([admin.close(), producer.close()]);
await platform.stop();
await kafka.stop();
