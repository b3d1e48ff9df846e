import type { IPublishPacket } from "mqtt";
import { describe, expect, it } from "vitest";
import { createInHand, MAX_IN_HAND } from "../src/in/in-hand.ts";

const packet = (messageId: number, bytes = 1, qos: 0 | 1 = 1) =>
  ({
    cmd: "publish",
    topic: "a",
    payload: Buffer.alloc(bytes),
    qos,
    messageId,
    dup: false,
    retain: false,
  }) as IPublishPacket;
const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

function setUp() {
  const ends = new Map<number, ReturnType<typeof Promise.withResolvers<void>>>();
  const written: number[][] = [];
  const failures: unknown[] = [];
  let asked = 0;
  const inHand = createInHand(
    ({ messageId }) => {
      const end = Promise.withResolvers<void>();
      ends.set(messageId!, end);
      return end.promise;
    },
    (bytes) => written.push(Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readUInt16BE(at * 4 + 2))),
    (error) => failures.push(error),
  );
  return {
    ...{ inHand, written, failures },
    take: (one: IPublishPacket) => inHand.take(one, () => asked++),
    end: (id: number) => ends.get(id)!.resolve(),
    break: (id: number) => ends.get(id)!.reject(new Error("broken")),
    asked: () => asked,
  };
}

describe("messages in hand", () => {
  it("are acknowledged when they are handled, in the order of receipt (MQTT 5, 4.6), those of one turn in one write", async () => {
    const { take, end, written } = setUp();
    for (const id of [7, 8, 300]) take(packet(id));
    end(300);
    end(8);
    await turn();
    expect(written).toEqual([]);
    end(7);
    await turn();
    expect(written).toEqual([[7, 8, 300]]);
  });

  it("are no more than their bounds, in number and in bytes: then the next is not asked for (I11)", async () => {
    const { take, end, asked, inHand } = setUp();
    for (let id = 1; id <= MAX_IN_HAND; id++) take(packet(id));
    expect(asked()).toBe(MAX_IN_HAND - 1);
    expect(inHand.isFull).toBe(true);
    end(1);
    await turn();
    expect(asked()).toBe(MAX_IN_HAND);
    const large = setUp();
    for (const id of [1, 2, 3]) large.take(packet(id, 6 * 1024 * 1024));
    expect(large.asked()).toBe(2);
  });

  it("of QoS 0 are not acknowledged, and leave their place all the same", async () => {
    const { take, end, written } = setUp();
    take(packet(1, 1, 0));
    take(packet(2));
    end(1);
    end(2);
    await turn();
    expect(written).toEqual([[2]]);
  });

  it("that failed are never acknowledged, and those behind them only when the connection is closed (I6)", async () => {
    const { take, end, written, failures, inHand, ...rest } = setUp();
    for (const id of [1, 2, 3]) take(packet(id));
    rest.break(1);
    end(3);
    await turn();
    expect(failures).toHaveLength(1);
    expect(written).toEqual([]);
    inHand.close();
    expect(written).toEqual([[3]]);
    end(2);
    await inHand.settled();
    await turn();
    expect(written).toEqual([[3]]);
  });
});
