import { connect, createServer, type Socket } from "node:net";

/** A way from a stack to a server that listens on 127.0.0.1 of the machine that runs the journeys. */
export interface Relay {
  port: number;
  stop(): Promise<void>;
}

/** Connections to `port` of all addresses go to `target` of 127.0.0.1: containers reach the machine, not its loopback. */
export async function startRelay(target: () => number): Promise<Relay> {
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    const to = connect(target(), "127.0.0.1");
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  return {
    port: (server.address() as { port: number }).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
