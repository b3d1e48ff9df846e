import type { CheckpointRecord, LedgerRecord, OutcomeRecord } from "@fnbus/contract";
import { checkpointSegments, type RecordDraft } from "../src/core/index.ts";
import type { World } from "./world.ts";

/** The checkpoint that a cold start finds: the last that OUTCOMES names. */
export function newestCheckpoint({ outcomes, broker, truth }: World) {
  const { first, all } = outcomes;
  for (let sequence = all.length; sequence >= first; sequence--) {
    const record = all[sequence - 1]!.data.records.find(
      (known): known is CheckpointRecord => known.type === "checkpoint",
    );
    if (!record) continue;
    const state = broker.objects.get(record.object);
    if (!state) truth.fail(`L7: checkpoint ${record.object} is named and gone`);
    const segments = new Map(checkpointSegments(state!).map((object) => [object, broker.objects.get(object)!]));
    for (const [object, bytes] of segments) if (!bytes) truth.fail(`L7: segment ${object} is named and gone`);
    return { checkpoint: { state: state!, segments } };
  }
  return {};
}

/** What the shell adds to a draft from the envelope's metadata. */
export function compose({ truth }: World, draft: RecordDraft): LedgerRecord {
  if (draft.type !== "outcome") return draft;
  const head = truth.heads.get(draft.id)!;
  const { source, first, last, bodyHash, flags } = head;
  return {
    ...draft,
    bodyHash,
    ...(source ? { position: { source, first, last } } : {}),
    ...(flags & 2 ? { idempotencyKey: "key" } : {}),
    ...(flags & 32 ? { callbackUrl: "https://example.com/" } : {}),
  } as OutcomeRecord;
}
