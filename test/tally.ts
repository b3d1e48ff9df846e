export interface Tally {
  passed: number;
  failed: number;
  /** What failed, and with which message: told once more at the end, where people look first. */
  failures: string[];
  /** What passed on its second try, and why it failed on its first: no failure of the run, and none to forget. */
  retried: string[];
}

export interface Step {
  name: string;
  run(): Promise<Tally>;
}

export function addTally(total: Tally, found: Tally): void {
  total.passed += found.passed;
  total.failed += found.failed;
  total.failures.push(...found.failures);
  total.retried.push(...found.retried);
}

export const toLine = ({ passed, failed }: Tally): string => `${passed} passed, ${failed} failed`;
