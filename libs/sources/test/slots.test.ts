import type { RegisteredTrigger, TriggerOf } from "@fnbus/contract";
import type { TriggerIndex } from "@fnbus/registry";
import { createLogger } from "@fnbus/telemetry";
import { describe, expect, it } from "vitest";
import { createSlots } from "../src/slots.ts";
import type { SourceStatus } from "../src/types.ts";

const logger = createLogger("test", "silent");
const toTrigger = (id: string, more: Partial<TriggerOf<"timer">> = {}): TriggerOf<"timer"> => ({
  ...{ id, incarnation: id, space: "default", name: id, description: "", type: "timer", enabled: true },
  ...{ config: { schedule: "* * * * *" }, function: { name: "f", qualifier: "latest" }, createdAt: 1, updatedAt: 1 },
  ...more,
});

/** An index that the test writes to, and a kind that notes what is asked of it. */
function start(options: { takesChanges?: boolean } = {}) {
  const held = new Map<string, RegisteredTrigger>();
  const listeners = new Set<(id: string, now: RegisteredTrigger | undefined) => void>();
  const index: TriggerIndex = {
    triggersOf: () => [],
    triggerByName: () => undefined,
    triggerById: (id) => held.get(id),
    allTriggers: () => held.values(),
    onTrigger(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const put = (id: string, trigger: TriggerOf<"timer"> | undefined) => {
    if (trigger) held.set(id, { trigger, revision: 1 });
    else held.delete(id);
    for (const listener of listeners) listener(id, held.get(id));
  };
  const events: string[] = [];
  const statuses = new Map<string, SourceStatus>();
  let running = 0;
  const slots = createSlots(
    index,
    {
      timer: {
        open(trigger, status) {
          expect(running).toBe(0);
          running++;
          events.push(`open ${trigger.description}`);
          statuses.set(trigger.id, status);
          return {
            ...(options.takesChanges && {
              change(now) {
                events.push(`change ${now.description}`);
                return true;
              },
            }),
            details: () => ({ says: trigger.description }),
            async stop() {
              await new Promise((resolve) => setTimeout(resolve, 5));
              running--;
              events.push(`stop ${trigger.description}`);
            },
          };
        },
        sample: () => [],
      },
    },
    logger,
  );
  return { put, slots, events, statuses };
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 40));

describe("triggers as they run on a replica", () => {
  it("are stopped before they are opened anew, and end at the newest definition whatever came between", async () => {
    const { put, slots, events } = start();
    put("a", toTrigger("a", { description: "1" }));
    await settled();
    put("a", toTrigger("a", { description: "2" }));
    await Promise.resolve();
    put("a", toTrigger("a", { description: "3" }));
    await settled();
    expect(events).toEqual(["open 1", "stop 1", "open 3"]);
    expect(slots.report("a")).toMatchObject({ state: "Pending", details: { says: "3" } });
    put("a", undefined);
    await settled();
    expect(events.at(-1)).toBe("stop 3");
    expect(slots.size).toBe(0);
  });

  it("take a change without a break where their source can", async () => {
    const { put, events } = start({ takesChanges: true });
    put("a", toTrigger("a", { description: "1" }));
    await settled();
    put("a", toTrigger("a", { description: "2" }));
    await settled();
    expect(events).toEqual(["open 1", "change 2"]);
  });

  it("are Paused and closed while they are not enabled, and open again afterwards", async () => {
    const { put, slots, events } = start();
    put("a", toTrigger("a", { description: "1" }));
    put("a", toTrigger("a", { description: "off", enabled: false }));
    await settled();
    expect(events).toEqual([]);
    expect(slots.report("a")?.state).toBe("Paused");
    put("a", toTrigger("a", { description: "on" }));
    await settled();
    expect(events).toEqual(["open on"]);
  });

  it("report what their source says: state, counts, the last error though it runs again", async () => {
    const { put, slots, statuses } = start();
    put("a", toTrigger("a"));
    await settled();
    const status = statuses.get("a")!;
    status.failed("source_unauthorized", "Not Authorized");
    expect(slots.report("a")).toMatchObject({ state: "Failed", error: { code: "source_unauthorized" } });
    status.running();
    status.received(2);
    status.published();
    expect(slots.report("a")).toMatchObject({
      ...{ state: "Running", received: 2, published: 1, givenUp: 0 },
      error: { message: "Not Authorized" },
    });
    expect([...slots.statuses()]).toMatchObject([{ id: "a", type: "timer", state: "Running" }]);
  });

  it("are all stopped in the end, those too that were being opened", async () => {
    const { put, slots, events } = start();
    put("a", toTrigger("a", { description: "1" }));
    await slots.stop();
    expect(events.filter((event) => event.startsWith("open")).length).toBe(
      events.filter((event) => event.startsWith("stop")).length,
    );
  });
});
