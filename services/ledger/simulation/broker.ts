import { after, type Process } from "./process.ts";
import type { World } from "./world.ts";

export interface Message<T> {
  sequence: number;
  at: number;
  bytes: number;
  data: T;
}

/** A stream with limits retention and `discard: new`: full, it refuses (L1). `all` is what ever was in it. */
export interface Stream<T> {
  createdAt: number;
  first: number;
  all: Message<T>[];
  bytes: number;
  maxBytes: number;
  listeners: (() => void)[];
}

export type Published = { ok: true; sequence: number } | { ok: false; how: "refused" | "in-doubt" | "not-stored" };

/** How long a publisher waits for an acknowledgement. */
const ANSWER_MS = 2_000;

export interface Broker {
  away: boolean;
  /** The broker's clock less virtual time: it steps. */
  clock: number;
  lease: { holder: string; epoch: number; revision: number };
  objects: Map<string, Uint8Array>;
}

export const createStream = <T>(maxBytes: number): Stream<T> => ({
  createdAt: 1,
  first: 1,
  all: [],
  bytes: 0,
  maxBytes,
  listeners: [],
});

export const lastOf = <T>(stream: Stream<T>): number => stream.all.length;

/** What the broker says of a stream. */
export const toFill = <T>({ first, all, bytes, maxBytes }: Stream<T>) => ({ first, last: all.length, bytes, maxBytes });

/** A message that is still stored. */
export const readAt = <T>(stream: Stream<T>, sequence: number): Message<T> | undefined =>
  sequence < stream.first ? undefined : stream.all[sequence - 1];

export function trim<T>(stream: Stream<T>, below: number): void {
  for (; stream.first < below && stream.first <= stream.all.length; stream.first++) {
    stream.bytes -= stream.all[stream.first - 1]!.bytes;
  }
}

function store<T>(world: World, stream: Stream<T>, data: T, bytes: number, expected?: number): Published {
  if (expected !== undefined && expected !== lastOf(stream)) return { ok: false, how: "refused" };
  if (stream.bytes + bytes > stream.maxBytes) return { ok: false, how: "not-stored" };
  const sequence = stream.all.length + 1;
  stream.all.push({ sequence, at: world.timeline.now + world.broker.clock, bytes, data });
  stream.bytes += bytes;
  for (const listener of stream.listeners) listener();
  return { ok: true, sequence };
}

/**
 * Publishes durably. Between a request and its answer anything may happen: never sent, stored late, stored and not
 * answered. `stored` hears of every storing, answered or not.
 */
export function publish<T>(
  world: World,
  process: Process,
  stream: Stream<T>,
  message: { data: T; bytes: number; expected?: number; stored?: (sequence: number) => void },
  done: (answer: Published) => void,
): void {
  const { random, weather, timeline, broker } = world;
  const attempt = (answer: (published: Published) => void) => {
    if (broker.away) return;
    const published = store(world, stream, message.data, message.bytes, message.expected);
    if (published.ok) message.stored?.(published.sequence);
    answer(published);
  };
  const silence = () => after(world, process, ANSWER_MS, () => done({ ok: false, how: "in-doubt" }));
  if (!process.connected || random.chance(weather.unsent)) {
    silence();
    return;
  }
  const isLate = random.chance(weather.storedLate);
  const { life } = process;
  timeline.at(timeline.now + (isLate ? ANSWER_MS + random.between(1, 3_000) : random.between(1, 3)), () => {
    let answered = false;
    attempt((published) => {
      if (isLate || random.chance(weather.unanswered)) {
        if (published.ok && message.expected !== undefined) world.reach("lost acknowledgement of a fenced append");
        return;
      }
      answered = true;
      const ms = random.between(1, 2);
      timeline.at(timeline.now + ms, () => {
        if (process.life !== life || !process.alive) return;
        if (process.frozen) process.backlog.push(() => done(published));
        else done(published);
      });
    });
    if (!answered && !isLate && process.life === life) silence();
  });
  if (isLate) silence();
}
