import { createServer } from "node:http";

/** A receiver of callbacks that counts. GET answers how many came; DELETE starts again from 0. Prints its port. */
let count = 0;
const server = createServer((request, response) => {
  if (request.method === "POST") {
    count++;
    request.resume();
    response.writeHead(204).end();
    return;
  }
  if (request.method === "DELETE") count = 0;
  response.end(String(count));
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as { port: number }).port));
