import { type Bus, isBusError } from "@fnbus/bus";
import { FnbusError, isId, streams } from "@fnbus/contract";
import { type CallbackReference, toJobId } from "../core/callback-reference.ts";
import type { OpenCallbacks } from "../core/open-callbacks.ts";
import type { Contents } from "../out/contents.ts";
import type { CallbackContent, Copies } from "../out/copies.ts";
import type { Jobs } from "../out/jobs.ts";

export interface RedrivePorts {
  bus: Bus;
  partitions: readonly number[];
  open: OpenCallbacks;
  copies: Copies;
  contents: Contents;
  jobs: Jobs;
  /** There is something to add. */
  onOpened(): void;
}

type Found = { reference: CallbackReference; content: CallbackContent };

/**
 * Sends a callback again that was given up or delivered: it is open anew, with a whole schedule, its tries marked manual. One that
 * is still open is tried at once. Throws `invocation_not_found`, and `result_gone` where nothing is kept to send.
 */
export async function redrive(ports: RedrivePorts, space: string, id: string): Promise<void> {
  if (!isId(id)) throw new FnbusError("invocation_not_found");
  const present = ports.open.get(id);
  if (present) {
    if (present.space !== space) throw new FnbusError("invocation_not_found");
    return ports.jobs.promote(toJobId(present));
  }
  const found = (await findGivenUp(ports, id)) ?? (await findDelivered(ports, id));
  if (!found) throw new FnbusError("result_gone", "nothing is kept of this callback, or there was none");
  if (found.content.outcome.space !== space) throw new FnbusError("invocation_not_found");
  const now = Date.now();
  const reference: CallbackReference = { ...found.reference, attempts: 0, since: now, redrive: now };
  const { last: afterRecord } = await ports.bus.streamState(streams.records(reference.partition));
  await ports.copies.save("open", { reference, afterRecord }, found.content);
  ports.open.open({ ...reference, afterRecord, copied: true, hasJob: false, dueAt: now });
  ports.onOpened();
}

async function findGivenUp({ partitions, copies }: RedrivePorts, id: string): Promise<Found | undefined> {
  for (const partition of partitions) {
    const copy = await copies.read("given-up", partition, id);
    if (copy) return { reference: copy.reference, content: { outcome: copy.outcome, body: copy.body } };
  }
  return undefined;
}

/** Of a delivered callback the keeper remembers the place for a while, and the log the outcome until it is trimmed. */
async function findDelivered({ open, contents }: RedrivePorts, id: string): Promise<Found | undefined> {
  const reference = open.ended(id);
  const content = reference && (await contents.read(reference).catch(ignoreAbsence));
  if (!reference || !content || content === "busy") return undefined;
  contents.release(content);
  return { reference, content };
}

const ignoreAbsence = (error: unknown): undefined => {
  if (!isBusError(error, "not_found")) throw error;
};
