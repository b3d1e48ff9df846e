import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHostGate } from "../src/core/host-gate.ts";

const options = { perHost: 4, waitMs: 250, maxHosts: 3 };

describe("the gate of hosts", () => {
  it("never has more than its places in flight to one host, whatever the order", () => {
    const step = fc.record({
      host: fc.constantFrom("a", "b"),
      leave: fc.boolean(),
      took: fc.nat(20_000),
      failed: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const gate = createHostGate(options);
        const inFlight: Record<string, number> = { a: 0, b: 0 };
        let now = 1;
        for (const { host, leave, took, failed } of steps) {
          now += 10;
          if (leave && inFlight[host]! > 0) {
            inFlight[host]!--;
            gate.leave(host, now, { durationMs: took, failed });
          } else if (gate.enter(host, now).turn === "go") inFlight[host]!++;
          expect(inFlight[host]).toBeLessThanOrEqual(options.perHost);
          expect(gate.inFlight).toBe(inFlight.a! + inFlight.b!);
        }
      }),
    );
  });

  it("lets a quick host's callbacks wait in place", () => {
    const gate = createHostGate(options);
    for (let index = 0; index < 40; index++) {
      gate.enter("a", index * 10);
      gate.leave("a", index * 10 + 2, { durationMs: 2, failed: false });
    }
    for (let index = 0; index < 4; index++) expect(gate.enter("a", 1000).turn).toBe("go");
    for (let index = 0; index < 100; index++) expect(gate.enter("a", 1001).turn).toBe("wait");
  });

  it("sends a hanging host's callbacks away, each to a later time than the one before", () => {
    const gate = createHostGate(options);
    for (let index = 0; index < 4; index++) gate.enter("a", 0);
    const times = Array.from({ length: 50 }, () => {
      const turn = gate.enter("a", 5_000);
      return turn.turn === "later" ? turn.atMs : 0;
    });
    expect(times[0]).toBeGreaterThan(5_000);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    expect(times.at(-1)! - times[0]!).toBeGreaterThan(40_000);
    expect(gate.enter("b", 5_000).turn).toBe("go");
  });

  it("gives a host that answers quickly more places, and takes them away when it is slow", () => {
    const gate = createHostGate({ ...options, perHost: 64 });
    const fill = () => {
      let places = 0;
      while (gate.enter("a", 0).turn === "go") places++;
      for (let index = 0; index < places; index++) gate.leave("a", 0);
      return places;
    };
    const answer = (times: number, durationMs: number) => {
      for (let index = 0; index < times; index++) {
        gate.enter("a", 0);
        gate.leave("a", 0, { durationMs, failed: false });
      }
    };
    expect(fill()).toBe(16);
    answer(10, 5);
    expect(fill()).toBe(26);
    answer(100, 5);
    expect(fill()).toBe(64);
    answer(200, 3_000);
    expect(fill()).toBe(16);
  });

  it("gives no time further away than ten minutes", () => {
    const gate = createHostGate(options);
    for (let index = 0; index < 4; index++) gate.enter("a", 0);
    let last = 0;
    for (let index = 0; index < 10_000; index++) {
      const turn = gate.enter("a", 15_000);
      if (turn.turn === "later") last = turn.atMs;
    }
    expect(last).toBe(15_000 + 600_000);
  });

  it("narrows a host that fails on end to a part of its places, and opens when it answers", () => {
    const gate = createHostGate(options);
    for (let index = 0; index < 5; index++) {
      gate.enter("a", index);
      gate.leave("a", index, { durationMs: 1, failed: true });
    }
    expect([gate.enter("a", 10).turn, gate.enter("a", 10).turn]).toEqual(["go", "wait"]);
    gate.leave("a", 11, { durationMs: 1, failed: false });
    for (let index = 0; index < 4; index++) expect(gate.enter("a", 12, 1).turn).toBe("go");
  });

  it("forgets idle hosts, never busy ones (I11)", () => {
    const gate = createHostGate({ ...options, perHost: 1 });
    gate.enter("busy", 0);
    for (let index = 0; index < 20; index++) {
      gate.enter(`h${index}`, 0);
      gate.leave(`h${index}`, 0, { durationMs: 1, failed: false });
    }
    expect(gate.enter("busy", 0).turn).not.toBe("go");
  });
});
