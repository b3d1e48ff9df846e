import { connect } from "node:net";

const TIMEOUT_MS = 1_000;

/** Sends a text to a TCP port and returns the first lines that come back; fewer where they do not come in a second. */
const exchange = (host: string, port: number, text: string, count: number): Promise<string[]> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    let answer = "";
    const end = () => {
      socket.destroy();
      resolve(answer.split("\r\n").slice(0, count));
    };
    socket.setTimeout(TIMEOUT_MS, end);
    socket.once("connect", () => text !== "" && socket.write(text));
    socket.once("error", end);
    socket.once("close", end);
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
      if (answer.split("\r\n").length > count) end();
    });
  });

/** What a NATS server says of itself to whoever connects. Undefined: nobody, or not a NATS server. */
export async function readNatsInfo(
  host: string,
  port: number,
): Promise<{ version: string; server_name: string } | undefined> {
  const [line] = await exchange(host, port, "", 1);
  return line?.startsWith("INFO ") ? JSON.parse(line.slice(5)) : undefined;
}

/** Whether a Redis with this password answers. One that still loads its data refuses the PING. */
export async function redisAnswers(host: string, port: number, password: string): Promise<boolean> {
  const [, pong] = await exchange(host, port, `AUTH ${password}\r\nPING\r\n`, 2);
  return pong === "+PONG";
}

/** Whether a service says that it is ready. */
export async function serviceIsReady(host: string, opsPort: number): Promise<boolean> {
  const response = await fetch(`http://${host}:${opsPort}/ready`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  await response.body?.cancel();
  return response.ok;
}
