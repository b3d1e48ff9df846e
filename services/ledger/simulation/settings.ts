import type { CoreLimits } from "../src/core/index.ts";

/** The ledger's limits, small enough that a short run meets every one of them. */
export const simulatedLimits: CoreLimits = Object.freeze({
  executorLeaseMs: 5_000,
  longTurnMs: 1_000,
  repeatMs: 1_000,
  keptWindowMs: 60_000,
  keptIds: 1_000,
  recentWindowMs: 20_000,
  recentIds: 1_000,
  unfinished: 1_000,
  marks: 100,
  markRetentionMs: 600_000,
  tickAheadMs: 60_000,
  indexWaitMs: 5_000,
  executorsLost: 3,
  checkpointMs: 8_000,
  checkpointBytes: 10_000,
  checkpointRecords: 40,
  parkEntries: 5,
  packEntries: 8,
  packBytes: 20_000,
  pendingRecords: 64,
  unansweredPacks: 8,
});

/** The ownership lease (L19). */
export const OWNERSHIP_LEASE_MS = 5_000;
export const TICK_MS = 200;
/** Bytes of an envelope, and of a record of OUTCOMES. */
export const ENVELOPE_BYTES = 1_000;
export const RECORD_BYTES = 500;
