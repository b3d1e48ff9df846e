/** From where RECORDS must be read again so that no end of an outcome at or above a mark is missed. */
export interface RecordFloor {
  /** An outcome was read when RECORDS had been applied up to `record`. Its end is later: its job is made after it was read. */
  read(sequence: number, record: number): void;
  /** The place of RECORDS behind which all ends of outcomes from `mark` on stand. */
  at(mark: number): number;
}

/** Finer steps would only grow the list. */
const STEP = 256;

/** `known`: the floor that the state was started from. */
export function createRecordFloor(known: number): RecordFloor {
  const steps: { sequence: number; record: number }[] = [{ sequence: 0, record: known }];
  return {
    read(sequence, record) {
      if (record - steps.at(-1)!.record >= STEP) steps.push({ sequence, record });
    },
    at(mark) {
      while (steps.length > 1 && steps[1]!.sequence <= mark) steps.shift();
      return steps[0]!.record;
    },
  };
}
