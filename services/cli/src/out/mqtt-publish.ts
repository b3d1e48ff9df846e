import { connect } from "node:net";

export interface DevMessage {
  port: number;
  topic: string;
  payload: Uint8Array;
  retain: boolean;
}

/** MQTT 3.1.1's packets that one publish needs (sections 2.2, 3.1 to 3.4), so that trying things out needs no client program. */
const CONNACK = 2;
const PUBACK = 4;
const PACKET_ID = 1;
const ANSWER_MS = 5_000;

/** Bytes of a length: seven bits each, the lowest first. */
function toLength(bytes: number): number[] {
  const rest = bytes >> 7;
  return rest === 0 ? [bytes] : [(bytes & 0x7f) | 0x80, ...toLength(rest)];
}
const toText = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};
function toPacket(head: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([head, ...toLength(body.length)]), body]);
}

/** Clean session, keep alive 30 s, a client id of the broker's making. */
const connectPacket = toPacket(0x10, toText("MQTT"), Buffer.from([4, 0x02, 0, 30]), toText(""));
const publishPacket = ({ topic, payload, retain }: DevMessage): Buffer =>
  toPacket(retain ? 0x33 : 0x32, toText(topic), Buffer.from([0, PACKET_ID]), payload);
const disconnectPacket = toPacket(0xe0);

/** Publishes one message with QoS 1 to a broker of this machine. Throws where the broker does not take it. */
export function publishMessage(message: DevMessage): Promise<void> {
  const at = `127.0.0.1:${message.port}`;
  return new Promise((resolve, reject) => {
    const socket = connect(message.port, "127.0.0.1", () => socket.write(connectPacket));
    const fail = (why: string) => {
      socket.destroy();
      reject(new Error(why));
    };
    let heard = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      heard = Buffer.concat([heard, chunk]);
      // Both answers are four bytes.
      for (; heard.length >= 4; heard = heard.subarray(4)) {
        const type = heard[0]! >> 4;
        if (type === CONNACK && heard[3] === 0) socket.write(publishPacket(message));
        else if (type === CONNACK) fail(`the broker at ${at} refused the connection (code ${heard[3]})`);
        else if (type === PUBACK) {
          socket.end(disconnectPacket);
          resolve();
        } else fail(`the broker at ${at} answered with something else`);
      }
    });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      fail(
        error.code === "ECONNREFUSED"
          ? `No broker at ${at}. Start one: fnbus dev mosquitto`
          : `the broker at ${at}: ${error.message}`,
      ),
    );
    socket.on("close", () => reject(new Error(`the broker at ${at} closed the connection`)));
    socket.setTimeout(ANSWER_MS, () => fail(`the broker at ${at} did not answer`));
  });
}
