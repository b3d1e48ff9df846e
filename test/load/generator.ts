import { connect } from "node:net";

/** What a load sends: each connection one request after the other, until its time or its amount is over. */
export interface Requests {
  url: string;
  connections: number;
  body: Buffer;
  headers?: Readonly<Record<string, string>>;
  /** Calls go to these in turn instead of to `url` alone. */
  paths?: readonly string[];
  /** The earlier of the two ends it. */
  seconds?: number;
  amount?: number;
}

export interface Sent {
  seconds: number;
  /** How long each answer took that was read to its end, ms. */
  latencies: number[];
  /** Answers other than 2xx, and lost connections. */
  bad: number;
}

const READ_BYTES = 64 * 1024;
const SILENCE_MS = 30_000;
const HEAD_END = "\r\n\r\n";
const contentLength = /\r\ncontent-length: (\d+)\r\n/i;

/**
 * POSTs, with one write and one read a request and nothing parsed but status and length. What the load costs is taken from what
 * is measured on the same cores: the general generators in JavaScript take twice as much, a quarter of both cores.
 */
export async function generate(load: Requests): Promise<Sent> {
  const { hostname, port, pathname, search } = new URL(load.url);
  const requests = (load.paths ?? [pathname + search]).map((path) => toRequest(path, `${hostname}:${port}`, load));
  const began = performance.now();
  const endsAt = began + (load.seconds ?? Number.POSITIVE_INFINITY) * 1000;
  const amount = load.amount ?? Number.POSITIVE_INFINITY;
  const latencies: number[] = [];
  let sent = 0;
  let bad = 0;

  const keepSending = () =>
    new Promise<void>((resolve) => {
      let sentAt: number | undefined;
      const send = (now: number) => {
        sentAt = now;
        socket.write(requests[sent++ % requests.length]!);
      };
      const read = createAnswerReader((status) => {
        const now = performance.now();
        latencies.push(now - sentAt!);
        if (status < 200 || status > 299) bad++;
        sentAt = undefined;
        if (now < endsAt && sent < amount) send(now);
        else socket.destroy();
      });
      const socket = connect({
        ...{ host: hostname, port: Number(port), noDelay: true },
        onread: { buffer: Buffer.allocUnsafe(READ_BYTES), callback: (bytes, buffer) => read(buffer as Buffer, bytes) },
      });
      socket.setTimeout(SILENCE_MS, () => socket.destroy());
      socket.once("connect", () => send(performance.now()));
      socket.once("error", () => {});
      socket.once("close", () => {
        if (sentAt !== undefined || socket.bytesWritten === 0) bad++;
        resolve();
      });
    });
  await Promise.all(Array.from({ length: load.connections }, keepSending));
  return { seconds: (performance.now() - began) / 1000, latencies, bad };
}

function toRequest(path: string, host: string, { headers, body }: Requests): Buffer {
  const type = "application/octet-stream";
  const fields = Object.entries({ host, "content-type": type, ...headers, "content-length": String(body.length) });
  const head = [`POST ${path} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`)].join("\r\n");
  return Buffer.concat([Buffer.from(head + HEAD_END), body]);
}

/** Reads answers that have a Content-Length or no content, and calls back with the status of each that is in. */
function createAnswerReader(onAnswer: (status: number) => void): (buffer: Buffer, bytes: number) => true {
  let head = "";
  let status = 0;
  let left = 0;
  return (buffer, bytes) => {
    if (left > 0) left -= bytes;
    else {
      head += buffer.toString("latin1", 0, bytes);
      const end = head.indexOf(HEAD_END);
      if (end < 0) return true;
      status = Number(head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length));
      const length = status === 204 ? "0" : contentLength.exec(head)?.[1];
      if (length === undefined) throw new Error(`an answer without Content-Length: ${head.slice(0, end)}`);
      left = Number(length) - (head.length - end - HEAD_END.length);
      head = "";
    }
    if (left === 0) onAnswer(status);
    return true;
  };
}
