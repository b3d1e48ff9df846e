const FIRST_MS = 250;
const LONGEST_MS = 10_000;
/** A process that ran this long had started well: its next restart is prompt again. */
export const STEADY_MS = 30_000;

/** How long to wait before restart number `failures` (from 1) in a row. */
export const restartDelayMs = (failures: number): number => Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
