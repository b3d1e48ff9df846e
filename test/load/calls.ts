import type { Stack } from "../stack/stack.ts";

/** 1 KB, the size that every number is measured with. */
export const body = Buffer.alloc(1024, "x");

export const bearer = (stack: Stack) => ({ authorization: `Bearer ${stack.api.key}` });
export const callPath = (name: string, how: "invoke" | "async-invoke") => `/spaces/default/functions/${name}/${how}`;

/** A request handler in Node.js that answers its body, after `sleepMs`. */
export async function deployEcho(
  stack: Stack,
  name: string,
  options: { limit?: number; sleepMs?: number } = {},
): Promise<void> {
  const { limit = 200, sleepMs = 0 } = options;
  const sleep = sleepMs === 0 ? "" : `await new Promise((resolve) => setTimeout(resolve, ${sleepMs}));`;
  const answer = await stack.api.call("POST", "/v1/spaces/default/functions", {
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      name,
      runtime: "nodejs",
      style: "request",
      handler: "index.handle",
      source: {
        files: { "index.js": `exports.handle = async (req) => { ${sleep} return { status: 200, body: req.body }; };` },
      },
      concurrency: { limit, perInstance: 64, prestart: 0 },
    }),
  });
  if (answer.status !== 201) throw new Error(`deploying ${name}: ${answer.status} ${answer.text}`);
}
