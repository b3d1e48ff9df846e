import type { InvocationView } from "@fnbus/contract";
import { encodeFrame, type FunctionDefinition, type RegisteredFunction } from "@fnbus/contract";
import { describe, expect, it } from "vitest";
import { readPage } from "../src/look-up/page.ts";
import type { Sources } from "../src/look-up/sources.ts";
import { createOwner, functions, head, idOf, result } from "./core-driver.ts";
import { toMeta } from "./peers/publisher.ts";

const definition = { id: functions[0], space: "s", name: "f" } as FunctionDefinition;
const filter = { space: "s", limit: 10 };

/** A core, and a projection that is behind it until it is waited for. */
function createSources(meanwhile: { caughtUp?: (driver: ReturnType<typeof createOwner>) => void } = {}) {
  const driver = createOwner();
  const projected: string[] = [];
  const ended: string[] = [];
  const sources = {
    view: driver.core.view,
    functionById: () => ({ definition }) as RegisteredFunction,
    frames: {
      read: async (id: string) => encodeFrame({ meta: toMeta(definition, { id }), body: Buffer.alloc(0) }),
      cached: () => undefined,
    },
    projection: {
      ask: async () => projected.map((id) => ({ id, acceptedAt: 1_000, space: "s" }) as InvocationView),
    },
    async caughtUp() {
      meanwhile.caughtUp?.(driver);
      return true;
    },
    async projected() {
      projected.push(...ended);
      return true;
    },
  } as unknown as Sources;
  const end = (nth: number) => {
    driver.apply(result(nth));
    ended.push(idOf(nth));
  };
  return { driver, sources, end };
}

describe("a page (L29)", () => {
  it("shows what has ended and is not projected yet", async () => {
    const { driver, sources, end } = createSources();
    driver.read([head(1), head(2)]);
    driver.announce(5);
    end(1);
    const { invocations } = await readPage(sources, filter);
    expect(invocations.map(({ id }) => id)).toEqual([idOf(2), idOf(1)]);
  });

  it("that is the first shows what was accepted before it was asked for", async () => {
    const { sources } = createSources({ caughtUp: (driver) => driver.read([head(3)]) });
    const { invocations } = await readPage(sources, filter);
    expect(invocations.map(({ id }) => id)).toEqual([idOf(3)]);
  });

  it("is refused where the projection is too far behind: it would have holes", async () => {
    const { sources } = createSources();
    const late = readPage({ ...sources, projected: async () => false }, filter);
    await expect(late).rejects.toMatchObject({ code: "ledger_unavailable" });
  });
});
