/** Virtual time: what is due, in order of time and then of planning. */
export interface Timeline {
  readonly now: number;
  at(time: number, run: () => void): void;
  /** Runs the next thing. False where nothing is planned. */
  step(): boolean;
}

export function createTimeline(): Timeline {
  const times: number[] = [];
  const orders: number[] = [];
  const runs: (() => void)[] = [];
  let now = 0;
  let planned = 0;
  const before = (a: number, b: number) => times[a]! < times[b]! || (times[a] === times[b] && orders[a]! < orders[b]!);
  const swap = (a: number, b: number) => {
    [times[a], times[b]] = [times[b]!, times[a]!];
    [orders[a], orders[b]] = [orders[b]!, orders[a]!];
    [runs[a], runs[b]] = [runs[b]!, runs[a]!];
  };
  return {
    get now() {
      return now;
    },
    at(time, run) {
      times.push(Math.max(time, now));
      orders.push(planned++);
      runs.push(run);
      for (let place = times.length - 1; place > 0; ) {
        const parent = (place - 1) >> 1;
        if (!before(place, parent)) break;
        swap(place, parent);
        place = parent;
      }
    },
    step() {
      if (times.length === 0) return false;
      swap(0, times.length - 1);
      now = times.pop()!;
      orders.pop();
      const run = runs.pop()!;
      for (let place = 0; ; ) {
        let child = place * 2 + 1;
        if (child >= times.length) break;
        if (child + 1 < times.length && before(child + 1, child)) child++;
        if (!before(child, place)) break;
        swap(place, child);
        place = child;
      }
      run();
      return true;
    },
  };
}
