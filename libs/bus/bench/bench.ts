import { connectBus } from "@fnbus/bus";
import { startNats } from "@fnbus/testing";

/** Request/reply and packed appends a second at 64 callers, fsync before every acknowledgement. Prints JSON. */
const CALLERS = 64;
const SECONDS = 4;
const FRAME_BYTES = 1024;

const nats = await startNats();
const [server, caller] = await Promise.all(
  ["server", "caller"].map((name) => connectBus({ servers: nats.url, name, connectTimeoutMs: 5_000 })),
);
if (!server || !caller) throw new Error("no connection");
await caller.provision({
  streams: [{ name: "LOG", subjects: ["log"], maxBytes: 4 * 1024 ** 3, discard: "new", replicas: 1 }],
  keyValues: [],
  objects: [],
});

async function measure(work: () => Promise<unknown>): Promise<{ perSecond: number; p50Ms: number; p99Ms: number }> {
  const took: number[] = [];
  const until = performance.now() + SECONDS * 1_000;
  const call = async () => {
    while (performance.now() < until) {
      const began = performance.now();
      await work();
      took.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
  took.sort((a, b) => a - b);
  const at = (share: number) => Number(took[Math.floor(took.length * share)]!.toFixed(2));
  return { perSecond: Math.round(took.length / SECONDS), p50Ms: at(0.5), p99Ms: at(0.99) };
}

const frame = Buffer.alloc(FRAME_BYTES);
server.subscribe("echo", (message) => message.respond(message.data));
// A round trip on the subscriber's own connection: the server has its subscription afterwards.
await server.streamState("LOG");
const packer = caller.createPacker("log");
const result = {
  nats: nats.version,
  callers: CALLERS,
  frameBytes: FRAME_BYTES,
  requestReply: await measure(() => caller.request("echo", frame, { timeoutMs: 5_000 })),
  packedAppend: await measure(() => packer.add(frame)),
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
await packer.close();
await Promise.all([server.drain(), caller.drain()]);
await nats.stop();
