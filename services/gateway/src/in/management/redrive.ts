import { decodeFrame, FnbusError } from "@fnbus/contract";
import { toRedriven } from "../../core/redriven.ts";
import type { Doors } from "../doors.ts";

/**
 * Publishes a dead letter's envelope anew, as a new invocation of the function as it is now (LEDGER.md L12), and returns its id.
 * Throws `not_redrivable`, `envelope_gone`, `function_deleted`, and what accepting throws.
 */
export async function redriveOne(doors: Doors, space: string, id: string): Promise<string> {
  const { answer, body: bytes } = await doors.ledger.askAll({ ask: "redrive", space, id }, "envelope");
  const frame = decodeFrame(Buffer.from(bytes));
  const registered = doors.registry.functionById(frame.meta.registryId);
  if (!registered) throw new FnbusError("function_deleted");
  const now = Date.now();
  const { partition } = registered.definition;
  doors.backlog.check(partition, registered.definition.id, true, now);
  const meta = toRedriven(frame.meta, id, answer.n, registered.revision, now);
  // The large body belongs to the first envelope, and goes with it: the new one gets a copy.
  const body = frame.meta.bodyReference ? await doors.bodies.get(frame.meta.bodyReference) : frame.body;
  const bodyHash = Buffer.from(frame.head.bodyHash, "hex");
  const accepted = await doors.invocations.acceptOnce(
    { meta, body },
    { named: true, bodyHash, priority: frame.head.priority },
  );
  return accepted.id;
}
