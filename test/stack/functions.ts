import type { Stack } from "./stack.ts";

/** User code of the journeys. A run reports itself to the callback target first, then answers something of its own. */
const sources = {
  echo: `exports.handle = (req) => ({
    status: 201,
    headers: { "x-own": "yes", "content-type": req.headers["content-type"] ?? "text/plain" },
    body: JSON.stringify({ method: req.method, path: req.path, query: req.query, body: req.body.toString() }),
  });`,
  /** Body: {token, report, sleepMs}. The random number makes two runs of one invocation tell apart. */
  work: `exports.handle = async (req) => {
    const { token, report, sleepMs } = JSON.parse(req.body.toString());
    if (report) await fetch(report + token, { method: "POST" });
    if (sleepMs) await new Promise((resolve) => setTimeout(resolve, sleepMs));
    return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ token, run: Math.random() }) };
  };`,
};

export type FunctionName = keyof typeof sources;

export interface DeployOptions {
  timeoutMs?: number;
  concurrency?: number;
}

/** Creates a function of the journeys and waits until it answers a call. */
export async function deploy(stack: Stack, name: FunctionName, options: DeployOptions = {}): Promise<void> {
  const answer = await stack.api.call("POST", "/v1/spaces/default/functions", {
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      name,
      runtime: "nodejs",
      style: "request",
      handler: "index.handle",
      source: { files: { "index.js": sources[name] } },
      timeoutMs: options.timeoutMs ?? 30_000,
      concurrency: { limit: options.concurrency ?? 50, perInstance: 50, prestart: 0 },
      retry: { maxAttempts: 3, firstDelayMs: 200, factor: 2, maxDelayMs: 1000, jitter: 0, on: [] },
    }),
  });
  if (answer.status !== 201) throw new Error(`deploying ${name}: ${answer.status} ${answer.text}`);
}
