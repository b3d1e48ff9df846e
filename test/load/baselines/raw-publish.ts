import { connectBus } from "@fnbus/bus";

/**
 * Raw JetStream: one message an acknowledged publish, so many callers at once. Arguments: NATS URL, user, password,
 * messages, bytes, callers. The stream is made for the run and is limited in size. Prints messages a second.
 */
const [servers, user, password, messages, bytes, callers] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
const bus = await connectBus({ servers, name: "bench", user, password, connectTimeoutMs: 10_000 });
const stream = "BENCH";
await bus.provision({
  streams: [{ name: stream, subjects: ["bench.>"], maxBytes: 256 * 1024 * 1024, discard: "old", replicas: 1 }],
  keyValues: [],
  objects: [],
});
const body = Buffer.alloc(Number(bytes), "x");
let left = Number(messages);
const began = performance.now();
const call = async () => {
  while (left-- > 0) await bus.append("bench.raw", body, { timeoutMs: 10_000 });
};
await Promise.all(Array.from({ length: Number(callers) }, call));
const seconds = (performance.now() - began) / 1000;
console.log(Math.round(Number(messages) / seconds));
await bus.trim(stream, Number.MAX_SAFE_INTEGER).catch(() => undefined);
await bus.drain();
