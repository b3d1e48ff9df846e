import { join } from "node:path";

/** The store's file of a partition. */
export const toProjectionFile = (folder: string, partition: number): string =>
  join(folder, `look-up-${partition}.sqlite`);
