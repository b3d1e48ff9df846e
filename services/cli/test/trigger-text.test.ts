import type { TriggerView } from "@fnbus/client";
import { describe, expect, it } from "vitest";
import { toListRow, toTriggerLines } from "../src/core/trigger-text.ts";

const line = (name: string, text: string | number | undefined) => (text === undefined ? [] : [`${name}: ${text}`]);
const error = { at: 1_000, code: "source_topic_missing", message: "no topic orders" };
const details = {
  partitions: [
    { topic: "orders", partition: 0, lag: 2 },
    { topic: "orders", partition: 1, lag: 0 },
  ],
  queue: "shop",
};

function view(state: string, replicas = 1): TriggerView {
  const counts = { received: 3, published: 2, givenUp: 0 };
  const one = { instance: "i", state, since: 500, ...counts, error, details };
  return {
    ...{ id: "1", space: "default", name: "orders", type: "kafka", enabled: true, secrets: [] },
    config: { brokers: ["b:9092"], topics: ["orders"] },
    function: { name: "hello" },
    status: { state, since: 500, ...counts, error, replicas: Array.from({ length: replicas }, () => one) },
  } as unknown as TriggerView;
}

describe("a trigger in words", () => {
  it("calls what went wrong before it runs its last error, and leaves it out of the list", () => {
    const said = "1970-01-01 00:00:01 source_topic_missing: no topic orders";
    expect(toTriggerLines(view("Running"), line)).toContain(`last error: ${said}`);
    expect(toTriggerLines(view("Failed"), line)).toContain(`error: ${said}`);
    expect(toListRow(view("Running")).at(-1)).toBe("");
    expect(toListRow(view("Failed")).at(-1)).toBe("source_topic_missing: no topic orders");
  });

  it("has a line for each partition, and for each replica's error where there are several", () => {
    const lines = toTriggerLines(view("Running"), line);
    expect(lines.slice(lines.indexOf("  partitions: 2"))).toEqual([
      "  partitions: 2",
      "    topic orders, partition 0, lag 2",
      "    topic orders, partition 1, lag 0",
      '  queue: "shop"',
    ]);
    expect(lines.filter((one) => one.startsWith("  1970"))).toHaveLength(0);
    expect(toTriggerLines(view("Running", 2), line).filter((one) => one.startsWith("  1970"))).toHaveLength(2);
  });
});
