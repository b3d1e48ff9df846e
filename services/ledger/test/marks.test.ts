import { frameFlags, MARKS_MAX } from "@fnbus/contract";
import { describe, expect, it } from "vitest";
import { readMarks } from "../src/look-up/marks.ts";
import { createOwner, head } from "./core-driver.ts";

const [known, unknown] = ["a".repeat(32), "b".repeat(32)];
const batch = (nth: number, last: number) =>
  head(nth, { flags: frameFlags.counting, source: known, first: last, last });

describe("the question for marks (L10)", () => {
  it("is answered in the order asked for, null where no mark is kept", async () => {
    const driver = createOwner();
    driver.read([batch(1, 7)]);
    const sources = { view: driver.core.view, logsRead: async () => true };
    expect(await readMarks(sources, [unknown, known])).toEqual([null, 7]);
  });

  it("is answered after the logs were read to where they ended when it was asked (L29)", async () => {
    const driver = createOwner();
    const sources = {
      view: driver.core.view,
      logsRead: async () => {
        driver.read([batch(1, 7)]);
        return true;
      },
    };
    expect(await readMarks(sources, [known])).toEqual([7]);
    const late = readMarks({ ...sources, logsRead: async () => false }, [known]);
    await expect(late).rejects.toMatchObject({ code: "ledger_unavailable" });
  });

  it.each([
    ["no list", undefined],
    ["too many sources", Array.from({ length: MARKS_MAX + 1 }, () => known)],
    ["what is no source hash", [known, "A".repeat(32)]],
    ["what is no text", [7]],
  ])("refuses %s (I11)", async (_, sources) => {
    const asked = readMarks({ view: createOwner().core.view, logsRead: async () => true }, sources);
    await expect(asked).rejects.toMatchObject({ code: "invalid_request" });
  });
});
