import { limits, type RunResult, toFnbusError } from "@fnbus/contract";
import type { HeldWork } from "../core/held-work.ts";
import type { Bodies } from "./bodies.ts";
import type { ResultPublisher } from "./results.ts";

/** Results of asynchronous runs, kept until they are durable; large bodies go to the object store first (L16, L24). */
export function createHolding(options: { executor: string; held: HeldWork; bodies: Bodies; results: ResultPublisher }) {
  const { held, bodies, results } = options;
  const empty = new Uint8Array(0);

  function end(id: string, attempt: number, result: RunResult, body: Uint8Array): void {
    if (held.end(id, attempt, result, body)) results.plan();
  }

  return {
    keep(id: string, attempt: number, { result, body }: { result: RunResult; body: Uint8Array }): void {
      const partition = held.partitionOf(id);
      if (partition === undefined) return;
      // A copy: a view would pin the chunk that it was read in.
      if (body.length <= limits.inlineBodyBytes) {
        end(id, attempt, result, Uint8Array.from(body));
        return;
      }
      bodies.store({ partition, id }, body).then(
        (bodyReference) => end(id, attempt, { ...result, bodyReference }, empty),
        (thrown: unknown) => {
          const { code, message } = toFnbusError(thrown);
          end(id, attempt, { ...result, statusCode: 0, headers: [], error: { code, message } }, empty);
        },
      );
    },
  };
}
