import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { request } from "undici";

/**
 * What people write first: `add` for each call and a worker that POSTs. Arguments: Redis URL, target URL, jobs, bytes,
 * producers at once. Prints the seconds from the first add to the last answer.
 */
const [redisUrl, target, jobs, bytes, producers] = process.argv.slice(2) as [string, string, string, string, string];
const wanted = Number(jobs);
const body = "x".repeat(Number(bytes));
const name = `naive-${process.pid}`;
const queue = new Queue(name, { connection: new Redis(redisUrl, { maxRetriesPerRequest: null }) });
let done = 0;
const finished = new Promise<void>((resolve) => {
  const worker = new Worker(
    name,
    async (job) => {
      const answer = await request(target, { method: "POST", body: job.data.body });
      await answer.body.dump();
      if (++done === wanted) resolve();
    },
    { connection: new Redis(redisUrl, { maxRetriesPerRequest: null }), concurrency: 64 },
  );
  worker.on("error", (error) => console.error(error.message));
});
const began = performance.now();
let left = wanted;
const produce = async () => {
  while (left-- > 0) await queue.add("callback", { body }, { removeOnComplete: { count: 1000 } });
};
await Promise.all(Array.from({ length: Number(producers) }, produce));
await finished;
console.log(((performance.now() - began) / 1000).toFixed(3));
process.exit(0);
