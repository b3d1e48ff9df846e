import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Stands before a broker, and can hold back what it answers: what was stored is then not known to be. */
export interface BrokerProxy {
  url: string;
  port: number;
  hold(): void;
  release(): void;
  close(): void;
}

export async function startBrokerProxy(port: number): Promise<BrokerProxy> {
  const answers = new Set<Socket>();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const broker = connect(port, "127.0.0.1");
    answers.add(broker);
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        client.destroy();
        broker.destroy();
      });
    }
    client.pipe(broker);
    broker.on("data", (bytes) => client.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const own = (server.address() as AddressInfo).port;
  return {
    url: `nats://127.0.0.1:${own}`,
    port: own,
    hold() {
      for (const socket of answers) socket.pause();
    },
    release() {
      for (const socket of answers) socket.resume();
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
