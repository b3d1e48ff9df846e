export async function handle(req) {
  return {
    status: 200,
    headers: { "x-handled-by": "request-node" },
    body: { method: req.method, path: req.path, query: req.query, received: req.body.toString("utf8") },
  };
}
