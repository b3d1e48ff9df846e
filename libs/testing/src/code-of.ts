/** The code of the error that `act` throws; "nothing" where it throws none. */
export function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "nothing";
}
