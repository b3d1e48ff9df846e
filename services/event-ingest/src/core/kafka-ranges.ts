/** "3-5, 7": the offsets, which ascend. For people; bounded. */
export function toRanges(offsets: readonly number[], most = 50): string {
  const ranges: [first: number, last: number][] = [];
  for (const offset of offsets) {
    const range = ranges.at(-1);
    if (range && range[1] === offset - 1) range[1] = offset;
    else ranges.push([offset, offset]);
  }
  const shown = ranges.slice(0, most).map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
  return ranges.length > most ? `${shown.join(", ")}, … ${offsets.at(-1)}` : shown.join(", ");
}
