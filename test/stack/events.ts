import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { difference } from "./conservation.ts";
import type { Stack } from "./stack.ts";
import { eventually } from "./wait.ts";

/**
 * User code that takes any event. It reports every token that it finds, and of a tick its time: what came out, to be held
 * against what went in.
 */
const source = `exports.handle = async (req) => {
  const text = req.body.toString();
  const time = /"time":"([^"]+)"/.exec(text);
  const tokens = text.match(/token-[0-9a-f-]{36}/g) ?? (time ? ["tick-" + Date.parse(time[1])] : []);
  const report = await fetch(process.env.REPORT, { method: "POST", body: JSON.stringify(tokens) });
  if (!report.ok) throw new Error("not reported");
  return { status: 200, body: String(tokens.length) };
};`;

export const newToken = (): string => `token-${randomUUID()}`;

async function post(stack: Stack, path: string, body: object, expected: number): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await stack.api.call("POST", path, { headers, body: JSON.stringify(body) });
  if (answer.status !== expected) throw new Error(`POST ${path}: ${answer.status} ${answer.text}`);
}

/** A function that reports events; `topics`: for triggers that look for functions by what these ask for. */
export const deployReporter = (stack: Stack, name: string, topics?: string): Promise<void> =>
  post(
    stack,
    "/v1/spaces/default/functions",
    {
      ...{ name, runtime: "nodejs", style: "request", handler: "index.handle", timeoutMs: 30_000 },
      source: { files: { "index.js": source } },
      environment: { REPORT: stack.target.url("/reports") },
      concurrency: { limit: 50, perInstance: 50, prestart: 0 },
      retry: { maxAttempts: 5, firstDelayMs: 200, factor: 2, maxDelayMs: 1000, jitter: 0, on: [] },
      ...(topics !== undefined && { options: { topics } }),
    },
    201,
  );

/** Creates a trigger, and waits until every replica of its service runs it. */
export async function createTrigger(stack: Stack, trigger: { name: string } & Record<string, unknown>): Promise<void> {
  await post(stack, "/v1/spaces/default/triggers", trigger, 201);
  await runs(stack, trigger.name);
}

export const runs = (stack: Stack, name: string): Promise<unknown> =>
  eventually(
    `trigger ${name} runs`,
    async () => {
      const answer = await stack.api.call("GET", `/v1/spaces/default/triggers/${name}`);
      const { status } = answer.json<{ status?: { state: string } }>();
      if (status?.state !== "Running") throw new Error(answer.text);
      return true;
    },
    60_000,
  );

/** Numbers in against numbers out: every token reached its functions, and the ledger's own sum has no difference. */
export async function expectAllReported(
  stack: Stack,
  tokens: readonly string[],
  options: { exactlyOnce: boolean; functions?: number; timeoutMs?: number },
): Promise<void> {
  const { functions = 1, timeoutMs = 60_000 } = options;
  await eventually(
    `every event reached ${functions} functions`,
    async () => {
      const missing = tokens.filter((token) => (stack.target.runs.get(token) ?? 0) < functions);
      if (missing.length > 0)
        throw new Error(
          `${missing.length} of ${tokens.length} are missing, first number ${tokens.indexOf(missing[0]!)}`,
        );
      return true;
    },
    timeoutMs,
  );
  await eventually("the ledger's sum has no difference", async () => (await difference(stack)) === 0, timeoutMs);
  if (!options.exactlyOnce) return;
  const twice = tokens.filter((token) => stack.target.runs.get(token)! > functions);
  expect(twice, "events that reached a function more than once").toEqual([]);
}
