export interface Tally {
  passed: number;
  failed: number;
}

export interface Step {
  name: string;
  run(): Promise<Tally>;
}

export function addTally(total: Tally, found: Tally): void {
  total.passed += found.passed;
  total.failed += found.failed;
}

export const toLine = ({ passed, failed }: Tally): string => `${passed} passed, ${failed} failed`;
