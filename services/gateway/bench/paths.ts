/**
 * The hot paths against what Fastify alone does on the same machine in the same run, 1 KB, 64 connections; each server in
 * a process of its own. CPU time a request tells more than the rate where other programs run beside it.
 * `node services/gateway/bench/paths.ts [seconds]` prints JSON.
 */
import { type ChildProcess, fork } from "node:child_process";
import { connectBus } from "@fnbus/bus";
import autocannon from "autocannon";
import Fastify from "fastify";
import { result, startExecutor, startPlatform } from "../test/platform.ts";

const BODY = Buffer.alloc(1024, "x");
const [role = "3", argument = ""] = process.argv.slice(2);

interface Program {
  child: ChildProcess;
  said: string;
  cpuUs(): Promise<number>;
}

/** In a child: says what the parent needs, then its CPU time whenever it is asked. */
function serve(said: string): void {
  process.on("message", () => process.send!(process.cpuUsage().user + process.cpuUsage().system));
  process.send!(said);
}

async function start(...args: string[]): Promise<Program> {
  const child = fork(import.meta.filename, args);
  const next = () => new Promise<unknown>((resolve) => child.once("message", resolve));
  const said = String(await next());
  return {
    ...{ child, said },
    cpuUs: () => {
      const answer = next();
      child.send("cpu");
      return answer as Promise<number>;
    },
  };
}

async function load(
  server: Program,
  url: string,
  headers: Record<string, string>,
  connections: number,
  duration: number,
) {
  const before = await server.cpuUs();
  const run = await autocannon({ url, method: "POST", body: BODY, headers, connections, duration });
  const cpuUs = ((await server.cpuUs()) - before) / run.requests.total;
  const { p50, p99 } = run.latency;
  return { perSecond: Math.round(run.requests.average), cpuUs: Math.round(cpuUs), p50, p99, non2xx: run.non2xx };
}

if (role === "baseline") {
  const app = Fastify({ logger: false });
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.post("/echo", (request, reply) => reply.send(request.body));
  app.post("/accept", (_request, reply) => reply.code(202).send());
  serve(await app.listen({ host: "127.0.0.1", port: 0 }));
} else if (role === "gateway") {
  const platform = await startPlatform({}, true);
  await platform.deploy("echo", { record: "none", concurrency: { limit: 1000 } });
  serve(JSON.stringify({ url: platform.url, nats: platform.nats.url, key: platform.adminKey }));
} else if (role === "executor") {
  const bus = await connectBus({ servers: argument, name: "executor" });
  startExecutor(bus, ({ body }) => ({ reply: { ok: true, result: result() }, body }));
  serve("ready");
} else {
  const seconds = Number(role);
  const [baseline, gateway] = [await start("baseline"), await start("gateway")];
  const platform = JSON.parse(gateway.said) as { url: string; nats: string; key: string };
  const executor = await start("executor", platform.nats);
  const headers = { authorization: `Bearer ${platform.key}` };
  const at = (word: string) => `${platform.url}/spaces/default/functions/echo/${word}`;
  const bareEcho = await load(baseline, `${baseline.said}/echo`, {}, 64, seconds);
  const sync = await load(gateway, at("invoke"), headers, 64, seconds);
  const syncAlone = await load(gateway, at("invoke"), headers, 1, seconds);
  const bareAccept = await load(baseline, `${baseline.said}/accept`, {}, 64, seconds);
  const accept = await load(gateway, at("async-invoke"), headers, 64, seconds);
  const ratios = { sync: sync.perSecond / bareEcho.perSecond, async: accept.perSecond / bareAccept.perSecond };
  const numbers = { node: process.version, bareEcho, sync, syncAlone, bareAccept, async: accept, ratios };
  process.stdout.write(`${JSON.stringify(numbers, null, 1)}\n`);
  for (const { child } of [executor, gateway, baseline]) child.kill();
}
