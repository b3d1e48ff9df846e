export interface RebuildParts {
  afterMs: number;
  stop(partition: number): Promise<void> | undefined;
  start(partition: number): Promise<void>;
  /** The process stops: nothing is started any more. */
  isOver(): boolean;
  failed(error: unknown, partition: number): void;
}

/**
 * Builds a partition anew a little after it was asked for, once however often it is asked meanwhile: two would run side
 * by side, and one of them for ever. What fails is tried again.
 */
export function createRebuilds({ afterMs, stop, start, isOver, failed }: RebuildParts): (partition: number) => void {
  const under = new Set<number>();

  async function rebuild(partition: number): Promise<void> {
    let isStopped = false;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      if (isOver()) return;
      try {
        if (!isStopped) await stop(partition);
        isStopped = true;
        if (!isOver()) await start(partition);
        return;
      } catch (error) {
        failed(error, partition);
      }
    }
  }

  return (partition) => {
    if (under.has(partition)) return;
    under.add(partition);
    void rebuild(partition).finally(() => under.delete(partition));
  };
}
