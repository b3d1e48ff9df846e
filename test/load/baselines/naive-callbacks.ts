import { createInterface } from "node:readline";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { request } from "undici";

/**
 * What people write first: `add` for each call, one after the other, and a worker that POSTs. Arguments: Redis URL, target URL,
 * bytes. For each line with a number it adds so many, and prints the seconds from the first add to the last answer.
 */
const [redisUrl, target, bytes] = process.argv.slice(2) as [string, string, string];
const body = "x".repeat(Number(bytes));
const name = `naive-${process.pid}`;
const queue = new Queue(name, { connection: new Redis(redisUrl, { maxRetriesPerRequest: null }) });
let onDone = () => {};
const worker = new Worker(
  name,
  async (job) => {
    const answer = await request(target, { method: "POST", body: job.data.body });
    await answer.body.dump();
    onDone();
  },
  { connection: new Redis(redisUrl, { maxRetriesPerRequest: null }), concurrency: 64 },
);
worker.on("error", (error) => console.error(error.message));

/** Resolves when so many have been added and answered. */
async function run(wanted: number): Promise<void> {
  let done = 0;
  const finished = new Promise<void>((resolve) => {
    onDone = () => {
      if (++done === wanted) resolve();
    };
  });
  for (let added = 0; added < wanted; added++)
    await queue.add("callback", { body }, { removeOnComplete: { count: 1000 } });
  await finished;
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const began = performance.now();
  await run(Number(line));
  console.log(((performance.now() - began) / 1000).toFixed(3));
}
// Nobody asks any more: its connections would keep it alive.
process.exit(0);
