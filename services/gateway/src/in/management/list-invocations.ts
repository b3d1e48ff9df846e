import { FnbusError, type InvocationView, type ListFilter } from "@fnbus/contract";
import type { Doors } from "../doors.ts";

export interface InvocationPage {
  data: InvocationView[];
  next?: string;
}

/**
 * One page: newest first within a partition, partition after partition. Of one function there is only one partition.
 * The cursor names the partition and holds its ledger's own.
 */
export async function listInvocations(
  { ledger, registry }: Doors,
  filter: Omit<ListFilter, "cursor">,
  cursor: string | undefined,
): Promise<InvocationPage> {
  if (!registry.space(filter.space)) throw new FnbusError("space_not_found");
  const of = filter.function === undefined ? undefined : registry.functionByName(filter.space, filter.function);
  const last = of ? of.definition.partition : ledger.partitions - 1;
  let { partition, rest } =
    cursor === undefined ? { partition: of?.definition.partition ?? 0, rest: "" } : fromCursor(cursor, last);
  const data: InvocationView[] = [];
  for (;;) {
    const limit = filter.limit - data.length;
    const question = { ask: "list", filter: { ...filter, limit, ...(rest === "" ? {} : { cursor: rest }) } } as const;
    const { answer } = await ledger.ask(partition, question, "page");
    data.push(...answer.invocations);
    if (answer.next !== undefined) return { data, next: `${partition}.${answer.next}` };
    if (partition >= last) return { data };
    partition++;
    rest = "";
    if (data.length >= filter.limit) return { data, next: `${partition}.` };
  }
}

function fromCursor(cursor: string, last: number): { partition: number; rest: string } {
  const match = /^(\d{1,4})\.(.*)$/.exec(cursor);
  if (!match || Number(match[1]) > last)
    throw new FnbusError("invalid_request", "the cursor is none of ours", { details: { field: "cursor" } });
  return { partition: Number(match[1]), rest: match[2]! };
}
