import { createServer } from "node:http";
import { connectBus } from "@fnbus/bus";
import { createId, ENVELOPE_VERSION, type EnvelopeMeta, encodeFrame } from "@fnbus/contract";

/**
 * The least that a gateway on the bus does: node:http, and the bus; no key, no function, no ledger, no user process.
 * Arguments: NATS URL, and what it is: `store` answers 202 when a log has the body on disk; `call` answers what `answer`,
 * another process, says. The stream is made for the run and is limited in size. Prints its port, `answer` a word.
 */
const [servers, part] = process.argv.slice(2) as [string, "store" | "call" | "answer"];
const bus = await connectBus({ servers, name: "bench", connectTimeoutMs: 10_000 });
const calls = "least.calls";
const EMPTY = Buffer.alloc(0);

const createWork = {
  async store() {
    const keep = { maxBytes: 256 * 1024 * 1024, discard: "old", replicas: 1 } as const;
    await bus.provision({
      streams: [{ name: "LEAST", subjects: ["least.log"], ...keep }],
      keyValues: [],
      objects: [],
    });
    const packer = bus.createPacker("least.log");
    const meta: EnvelopeMeta = {
      ...{ v: ENVELOPE_VERSION, id: createId(), space: "default", function: "least", qualifier: "latest" },
      ...{ registryId: createId(), revision: 1, partition: 0, kind: "http", source: "http", method: "POST" },
      ...{ path: "/", query: "", headers: [], deadlineMs: 0, acceptedAt: Date.now() },
    };
    return async (body: Buffer) => {
      await packer.add(encodeFrame({ meta, body }));
      return { status: 202, body: EMPTY };
    };
  },
  async call() {
    return async (body: Buffer) => {
      const answer = await bus.call(calls, "{}", body, { timeoutMs: 10_000 });
      return { status: 200, body: Buffer.from(answer.body.buffer, answer.body.byteOffset, answer.body.length) };
    };
  },
};

if (part === "answer") {
  bus.answerCalls(calls, (call) => call.answer("{}", call.body));
  await bus.call(calls, "{}", EMPTY, { timeoutMs: 10_000 });
  console.log("ready");
} else {
  const work = await createWork[part]();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const { status, body } = await work(Buffer.concat(chunks)).catch(() => ({ status: 503, body: EMPTY }));
      response.writeHead(status, ["content-length", String(body.length)]);
      response.end(body.toString("latin1"), "latin1");
    });
  });
  server.listen(0, "127.0.0.1", () => console.log((server.address() as { port: number }).port));
}
