import type { Bus } from "@fnbus/bus";
import { buckets, streams } from "@fnbus/contract";
import type { Endpoint } from "./core/endpoints.ts";

/** From where a keeper goes on. All of it can be lost: then both logs are read from their first message. */
export interface KeeperState {
  partitions: Record<string, KeeperPosition>;
  endpoints: Endpoint[];
}

export interface KeeperPosition {
  /** Low mark in OUTCOMES. */
  outcomes: number;
  /** Every end of an outcome from there on stands behind this place of RECORDS. */
  records: number;
  /** The endpoints' health has counted RECORDS up to here. */
  counted: number;
  /** The streams that the places are of. */
  created: string;
}

const OBJECT = "state/keeper";

export async function readKeeperState(bus: Bus): Promise<KeeperState> {
  const bytes = await (await bus.objects(buckets.callbacks)).get(OBJECT);
  return bytes ? JSON.parse(Buffer.from(bytes).toString("utf8")) : { partitions: {}, endpoints: [] };
}

export async function saveKeeperState(bus: Bus, state: KeeperState): Promise<void> {
  await (await bus.objects(buckets.callbacks)).put(OBJECT, Buffer.from(JSON.stringify(state)));
}

/** The stored position where it belongs to these streams, else the beginning. */
export async function positionOf(bus: Bus, state: KeeperState, partition: number): Promise<KeeperPosition> {
  const [outcomes, records] = await Promise.all([
    bus.streamState(streams.outcomes(partition)),
    bus.streamState(streams.records(partition)),
  ]);
  const created = `${outcomes.createdAt} ${records.createdAt}`;
  const known = state.partitions[partition];
  const fits =
    known?.created === created &&
    known.outcomes <= outcomes.last + 1 &&
    known.records <= records.last &&
    known.counted <= records.last;
  return fits ? known : { outcomes: 1, records: 0, counted: 0, created };
}
