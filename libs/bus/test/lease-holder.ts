import { connectBus } from "@fnbus/bus";

/**
 * A process of its own that wants a lease, so that it can be frozen. It writes lines of `<monotonic ns> <word>`: "held"
 * once, then every few milliseconds "safe" or "unsafe" (the time is taken before it asks), and "lost".
 */
const [servers = "", holder = "", leaseMs = ""] = process.argv.slice(2);
const EVERY_MS = 5;

const say = (word: string, at = process.hrtime.bigint()) => process.stdout.write(`${at} ${word}\n`);
const bus = await connectBus({ servers, name: holder });
const options = { bucket: "LEASES", key: "partition.0", holder, leaseMs: Number(leaseMs), value: {} };
const lease = await bus.acquireLease(options, new AbortController().signal);
say("held");
lease.onLost(() => say("lost"));
setInterval(() => {
  const at = process.hrtime.bigint();
  say(lease.isSafe() ? "safe" : "unsafe", at);
}, EVERY_MS);
