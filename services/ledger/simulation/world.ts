import type { FrameHead, LedgerRecord, OutcomeHead, Verdict } from "@fnbus/contract";
import type { FunctionRules, Protection } from "../src/core/index.ts";
import { type Broker, createStream, type Stream } from "./broker.ts";
import type { SimulatedDispatcher } from "./dispatcher.ts";
import type { SimulatedExecutor } from "./executor.ts";
import type { Process } from "./process.ts";
import { createRandom, type Random } from "./random.ts";
import type { SimulatedReplica } from "./replica.ts";
import { createTimeline, type Timeline } from "./timeline.ts";
import { createTruth, type Truth } from "./truth.ts";

/** Cases that the generator must reach (LEDGER.md, Simulation). */
export const namedCases = [
  "outcome read before its envelope",
  "trim, then a cold start",
  "park under a full stream",
  "the owner's own outage longer than a lease",
  "a thawed owner beside a new one",
  "executor restarted",
  "straddling batch",
  "tick from the future",
  "lost acknowledgement of a fenced append",
  "repeat of a key after its result is trimmed",
  "tick skipped beside an unfinished one",
  "tick waiting for an unfinished one",
] as const;
export type NamedCase = (typeof namedCases)[number];

export interface SimulatedPack {
  heads: FrameHead[];
  /** Who asked for verdicts, and how to answer. */
  inbox?: { process: Process; receive: (verdicts: readonly Verdict[]) => void };
}

export interface OutcomesPack {
  head: OutcomeHead;
  records: LedgerRecord[];
}

export interface SimulatedFunction {
  registryId: string;
  rules: FunctionRules;
  revision: number;
  deleted: boolean;
  /** Share of runs that fail, and how long a run takes at most. */
  failing: number;
  longestMs: number;
  /** All its work is ticks of one source that do this beside each other (L13). */
  overlap?: FrameHead["overlap"];
}

/** Probabilities of one run. */
export interface Weather {
  lost: number;
  late: number;
  doubled: number;
  unsent: number;
  unanswered: number;
  storedLate: number;
  /** A reader of a log may lag so long behind the other. */
  readerLagMs: number;
}

export interface World {
  seed: number;
  random: Random;
  timeline: Timeline;
  broker: Broker;
  weather: Weather;
  invocations: Stream<SimulatedPack>;
  outcomes: Stream<OutcomesPack>;
  parked: Stream<string[]>;
  replicas: SimulatedReplica[];
  executors: SimulatedExecutor[];
  dispatcher: SimulatedDispatcher;
  functions: SimulatedFunction[];
  /** Pairs "from>to" whose core messages are lost. */
  cut: Set<string>;
  /** Ids whose cancel was asked for, by ticket. */
  cancelTickets: Map<number, string>;
  truth: Truth;
  without: ReadonlySet<Protection>;
  /** Publishers have stopped; what is unfinished is to end. */
  closing: boolean;
  reach(name: NamedCase): void;
  trace(text: () => string): void;
}

export interface WorldOptions {
  seed: number;
  without: ReadonlySet<Protection>;
  reached: Map<NamedCase, number>;
  verbose: boolean;
}

/** An empty world of this seed: its weather and the sizes of its streams. Who lives in it is added by `run.ts`. */
export function createWorld({ seed, without, reached, verbose }: WorldOptions): World {
  const random = createRandom(seed);
  const rough = random.chance(0.7);
  const weather: Weather = {
    lost: rough ? random.next() * 0.05 : 0,
    late: rough ? random.next() * 0.05 : 0,
    doubled: rough ? random.next() * 0.05 : 0,
    unsent: rough ? random.next() * 0.03 : 0,
    unanswered: rough ? random.next() * 0.05 : 0,
    storedLate: rough ? random.next() * 0.02 : 0,
    readerLagMs: random.pick([2, 20, 500]),
  };
  const small = random.chance(0.5);
  const timeline = createTimeline();
  const world: World = {
    seed,
    random,
    timeline,
    broker: { away: false, clock: 1_700_000_000_000, lease: { holder: "", epoch: 0, revision: 0 }, objects: new Map() },
    weather,
    invocations: createStream(small ? 30_000 : 1_000_000),
    outcomes: createStream(random.chance(0.5) ? 60_000 : 1_000_000),
    parked: createStream(random.chance(0.2) ? 3_000 : 1_000_000),
    replicas: [],
    executors: [],
    dispatcher: undefined as unknown as SimulatedDispatcher,
    functions: [],
    cut: new Set(),
    cancelTickets: new Map(),
    truth: undefined as unknown as Truth,
    without,
    closing: false,
    reach: (name) => reached.set(name, (reached.get(name) ?? 0) + 1),
    trace: (text) => {
      if (verbose) console.log(`${(timeline.now / 1000).toFixed(3).padStart(8)}  ${text()}`);
    },
  };
  world.truth = createTruth(world);
  return world;
}
