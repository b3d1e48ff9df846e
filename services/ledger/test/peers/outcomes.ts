import type { Bus } from "@fnbus/bus";
import { decodeEntryPack, type LedgerRecord, type OutcomeRecord, streams } from "@fnbus/contract";

/** Every record that stands in OUTCOMES now, in order. */
export async function readRecords(bus: Bus): Promise<LedgerRecord[]> {
  const stream = streams.outcomes(0);
  const { last } = await bus.streamState(stream);
  const records: LedgerRecord[] = [];
  if (last === 0) return records;
  const { promise, resolve } = Promise.withResolvers<void>();
  const reader = await bus.readLog(stream, 1, (batch) => {
    for (const { data, sequence } of batch) {
      for (const { meta } of decodeEntryPack<unknown, LedgerRecord>(data).entries) records.push(meta);
      if (sequence >= last) resolve();
    }
  });
  await promise;
  await reader.stop();
  return records;
}

/** How many outcomes each id has (I3: one). */
export async function countOutcomes(bus: Bus): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const isOutcome = (record: LedgerRecord): record is OutcomeRecord => record.type === "outcome";
  for (const { id } of (await readRecords(bus)).filter(isOutcome)) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
