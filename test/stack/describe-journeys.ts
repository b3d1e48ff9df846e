import { describe, it } from "vitest";
import { journeys } from "./journeys/index.ts";
import { logsOf } from "./logs.ts";
import type { Stack, StackOptions } from "./stack.ts";

/** The journeys, each on a stack of its own. A failure shows the end of every log. */
export function describeJourneys(kind: Stack["kind"], start: (options: StackOptions) => Promise<Stack>): void {
  describe(`journeys on ${kind}`, () => {
    for (const { name, shows, needs, impossible, travel } of journeys) {
      const reason = impossible?.();
      it.skipIf(reason !== undefined)(`${name} (${reason ?? shows})`, async () => {
        const stack = await start(needs ?? {});
        try {
          await travel(stack);
        } catch (error) {
          throw new Error(`${(error as Error).message}\n${await logsOf(stack)}`, { cause: error });
        } finally {
          await stack.stop();
        }
      });
    }
  });
}
