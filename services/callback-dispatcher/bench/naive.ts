/** What one writes at first: a loop that adds a job with the body for each callback, and a worker that POSTs. */
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { request } from "undici";

const { REDIS_URL = "", FNBUS_HOOK = "", FNBUS_COUNT = "0", FNBUS_CALLERS = "1" } = process.env;
const CONCURRENCY = 64;

const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
const queue = new Queue("naive", { connection });
const worker = new Worker(
  "naive",
  async (job) => {
    const answer = await request(FNBUS_HOOK, { method: "POST", body: job.data.body });
    await answer.body.dump();
  },
  { connection: connection.duplicate(), concurrency: CONCURRENCY },
);
await worker.waitUntilReady();
process.stdout.write("ready\n");
await new Promise((done) => setTimeout(done, 1_000));
let left = Number(FNBUS_COUNT);
const body = "x".repeat(1024);
await Promise.all(
  Array.from({ length: Number(FNBUS_CALLERS) }, async () => {
    while (left-- > 0) await queue.add("callback", { body }, { attempts: 8 });
  }),
);
