/** Columns as wide as their widest cell; the last one is not padded. */
export function toTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  return [head, ...rows].map((row) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!))).join("  "),
  );
}

/** "2026-11-21 10:31:05", UTC; "" where there is no time. */
export const toTime = (ms: number | undefined): string =>
  ms === undefined ? "" : new Date(ms).toISOString().slice(0, 19).replace("T", " ");

export function toBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** "Uploading 1.2 MB … 40 %", and what is waited for when all was sent. */
export const toUploadLine = (sent: number, size: number): string =>
  sent < size
    ? `Uploading ${toBytes(size)} … ${Math.floor((sent / size) * 100)} %`
    : `Uploaded ${toBytes(size)}; an executor looks at it …`;

export const toDuration = (ms: number | undefined): string =>
  ms === undefined ? "" : ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(1)} s`;
