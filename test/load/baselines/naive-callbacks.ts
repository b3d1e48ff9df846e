import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { request } from "undici";

/**
 * What people write first: `add` for each call and a worker that POSTs. Arguments: Redis URL, target URL, jobs, bytes,
 * producers at once, jobs before the clock starts. Prints the seconds from the first add to the last answer.
 */
const [redisUrl, target, jobs, bytes, producers, warmUp] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
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
  let left = wanted;
  let done = 0;
  const finished = new Promise<void>((resolve) => {
    onDone = () => {
      if (++done === wanted) resolve();
    };
  });
  const produce = async () => {
    while (left-- > 0) await queue.add("callback", { body }, { removeOnComplete: { count: 1000 } });
  };
  await Promise.all(Array.from({ length: Number(producers) }, produce));
  await finished;
}

await run(Number(warmUp));
const began = performance.now();
await run(Number(jobs));
console.log(((performance.now() - began) / 1000).toFixed(3));
process.exit(0);
