import Fastify from "fastify";

/** What HTTP alone costs on this machine: `echo` answers the body, `accept` answers 202 and stores nothing. Prints its port. */
const mode = process.argv[2] ?? "echo";
const app = Fastify({ bodyLimit: 8 * 1024 * 1024 });
app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
app.post("/*", (request, reply) => {
  if (mode === "accept") return reply.code(202).send();
  return reply.type("application/octet-stream").send(request.body);
});
await app.listen({ host: "127.0.0.1", port: 0 });
console.log((app.server.address() as { port: number }).port);
