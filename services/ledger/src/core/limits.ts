import { limits as shared } from "@fnbus/contract";
import type { CoreLimits } from "./types.ts";

/** LEDGER.md's numbers. */
export const defaultLimits: CoreLimits = Object.freeze({
  executorLeaseMs: 5_000,
  longTurnMs: 1_000,
  repeatMs: 1_000,
  keptWindowMs: 24 * 3_600_000,
  keptIds: 8_000_000,
  recentWindowMs: 60_000,
  /** A minute at 45 k/s, the fastest that was measured. */
  recentIds: 3_000_000,
  unfinished: 2_000_000,
  marks: 1_000_000,
  /** Longer than any trigger looks back for ticks that it missed (31 days), or one would fire again (I7). */
  markRetentionMs: 35 * 24 * 3_600_000,
  tickAheadMs: 60_000,
  indexWaitMs: 5_000,
  executorsLost: shared.executorsLost,
  checkpointMs: 60_000,
  checkpointBytes: 64 * 1024 * 1024,
  checkpointRecords: 500_000,
  parkEntries: 1_000,
  packEntries: shared.packEntries,
  packBytes: shared.packBytes,
  pendingRecords: 16_384,
  unansweredPacks: 64,
});

/** Hourly and ten-second segments of kept ids (L12), smaller where a window is made small. */
export const segmentMs = (windowMs: number): number => Math.max(1, Math.round(Math.min(3_600_000, windowMs / 6)));
