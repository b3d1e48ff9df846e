/** The first x.y.z of a text ("nats-server: v2.15.2", "Redis server v=7.0.15 sha=…"), or undefined. */
export const readVersion = (text: string): string | undefined => /(\d+)\.(\d+)\.(\d+)/.exec(text)?.[0];

/** Whether version `a` is at least `b`, compared number by number. */
export function isAtLeast(a: string, b: string): boolean {
  const left = a.split(".").map(Number);
  const right = b.split(".").map(Number);
  for (let place = 0; place < 3; place++) {
    const difference = (left[place] ?? 0) - (right[place] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
