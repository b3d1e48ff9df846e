import { encodeFrame, type FunctionDefinition } from "@fnbus/contract";
import { describe, expect, it } from "vitest";
import { findInvocation } from "../src/look-up/find.ts";
import type { Sources } from "../src/look-up/sources.ts";
import { createOwner, functions, head, idOf, result } from "./core-driver.ts";
import { toMeta } from "./peers/publisher.ts";

const definition = { id: functions[0], space: "s", name: "f" } as FunctionDefinition;

/** A core that reads its logs when it is asked to, and a projection that knows an end only after it was waited for. */
function createSources(logs: (driver: ReturnType<typeof createOwner>) => void) {
  const driver = createOwner();
  const known = new Set<string>();
  const sources = {
    view: driver.core.view,
    frames: { read: async (id: string) => encodeFrame({ meta: toMeta(definition, { id }), body: Buffer.alloc(0) }) },
    projection: {
      ask: async (_what: "get" | "attempts", id: string) =>
        known.has(id) ? { view: { id, space: toMeta(definition, { id }).space }, sequence: 1, index: 0 } : undefined,
    },
    async logsRead() {
      logs(driver);
      return true;
    },
    async projected() {
      known.add(idOf(1));
      return true;
    },
  } as unknown as Sources;
  return { driver, sources };
}
const { space } = toMeta(definition, { id: idOf(1) });

describe("an invocation that was accepted (L29)", () => {
  it("is found although it is read, runs and ends while the look-up reads the logs", async () => {
    const { sources } = createSources((driver) => {
      driver.read([head(1)]);
      driver.announce(5);
      driver.apply(result(1));
    });
    expect(await findInvocation(sources, space, idOf(1))).toMatchObject({ kind: "ended", view: { id: idOf(1) } });
  });

  it("is found unfinished where it was read only now", async () => {
    const { sources } = createSources((driver) => driver.read([head(1)]));
    expect(await findInvocation(sources, space, idOf(1))).toMatchObject({ kind: "live" });
  });

  it("is not called unknown while its end may not be projected", async () => {
    const { sources } = createSources(() => {});
    const late = findInvocation({ ...sources, projected: async () => false }, space, idOf(1));
    await expect(late).rejects.toMatchObject({ code: "ledger_unavailable" });
  });

  it("of another space is not found", async () => {
    const { sources } = createSources((driver) => driver.read([head(1)]));
    await expect(findInvocation(sources, "other", idOf(1))).rejects.toMatchObject({ code: "invocation_not_found" });
  });
});
