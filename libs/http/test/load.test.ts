import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { createLoad } from "../src/index.ts";

const respond = () => new ServerResponse(new IncomingMessage(new Socket()));

describe("what is in progress", () => {
  it("I11: is counted from when it is taken until it is given back, bytes and all, in whatever order", () => {
    const load = createLoad();
    const [first, second, third] = [respond(), respond(), respond()];
    const giveFirstBack = load.take(first, 10);
    const giveSecondBack = load.take(second, 5);
    expect([load.open.size, load.bodyBytes]).toEqual([2, 15]);
    giveFirstBack();
    const giveThirdBack = load.take(third, 1);
    expect([load.bodyBytes, new Set(load.open)]).toEqual([6, new Set([second, third])]);
    giveSecondBack();
    giveThirdBack();
    expect([load.open.size, load.bodyBytes, [...load.open]]).toEqual([0, 0, []]);
  });

  it("what is taken while the gateway stops is its connection's last", () => {
    const load = createLoad();
    load.stopping = true;
    const response = respond();
    load.take(response, 0);
    expect(response.getHeader("connection")).toBe("close");
  });
});
