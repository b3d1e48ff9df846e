import { type Bus, connectBus, isBusError } from "@fnbus/bus";
import { createId, decodeInvocationPack, encodeFrame } from "@fnbus/contract";
import {
  assertSilence,
  type NatsCluster,
  type NatsServer,
  type Silence,
  startNatsCluster,
  until,
} from "@fnbus/testing";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bucket, bytes, sleep, stream, text } from "./servers.ts";

/** More than the writers can fill while they wait for a leader. */
const SIZE = 256 * 1024 * 1024;
const LEASE_MS = 2_000;
const never = new AbortController().signal;
const frame = (id: string) =>
  encodeFrame({
    meta: {
      v: 1,
      id,
      space: "default",
      function: "f",
      qualifier: "latest",
      registryId: id,
      revision: 1,
      partition: 0,
      kind: "event",
      source: "http",
      method: "POST",
      path: "/",
      query: "",
      headers: [],
      deadlineMs: 0,
      acceptedAt: 0,
    },
    body: new Uint8Array(512),
  });

describe("a cluster of three that loses the leader of its streams", () => {
  let cluster: NatsCluster;
  let bus: Bus;
  let silence: Silence;
  beforeEach(async () => {
    silence = assertSilence();
    cluster = await startNatsCluster(3);
    bus = await connectBus({ servers: cluster.url, name: "suite", connectTimeoutMs: 10_000 });
    const wanted = {
      streams: [stream("LOG", "log", SIZE, 3), stream("FENCED", "fenced", SIZE, 3)],
      keyValues: [bucket("LEASES", 3)],
      objects: [{ name: "FILES", maxBytes: SIZE, replicas: 3 }],
    };
    // The cluster elects the leader of its streams when it has started.
    const provisioned = () =>
      bus.provision(wanted).then(
        () => true,
        () => false,
      );
    await until("provisioned", provisioned, 20_000);
  });
  afterEach(async () => {
    await bus.drain();
    await cluster.stop();
    silence.assert();
  });

  const leaderOf = async (name: string): Promise<NatsServer> => {
    const nc = await connect({ servers: cluster.members.map(({ url }) => url) });
    const { cluster: state } = await (await jetstreamManager(nc)).streams.info(name);
    await nc.close();
    return cluster.members.find(({ port }) => state?.leader === `n${port}`)!;
  };

  it("loses nothing that was acknowledged, reads on without a gap, keeps fence and lease", async () => {
    const lease = await bus.acquireLease(
      { bucket: "LEASES", key: "partition.0", holder: "first", leaseMs: LEASE_MS, value: {} },
      never,
    );
    let isLost = false;
    lease.onLost(() => {
      isLost = true;
    });
    const files = await bus.objects("FILES");
    await files.put("kept", bytes("object"));

    const read: number[] = [];
    const ids = new Map<number, string[]>();
    const reader = await bus.readLog("LOG", 1, (batch) => {
      for (const message of batch) {
        read.push(message.sequence);
        ids.set(
          message.sequence,
          decodeInvocationPack(message.data).map(({ id }) => id),
        );
      }
    });
    const packer = bus.createPacker("log");
    const acknowledged: { id: string; sequence: number; index: number }[] = [];
    const counted = { last: 0, sequence: 0 };
    let isOver = false;
    const isPassing = (error: unknown) => isBusError(error, "disconnected", "timeout", "not_stored", "no_responders");
    const accept = async () => {
      while (!isOver) {
        const id = createId();
        try {
          acknowledged.push({ id, ...(await packer.add(frame(id))) });
          await sleep(5);
        } catch (error) {
          if (!isPassing(error)) throw error;
          await sleep(20);
        }
      }
    };
    /** One writer under the fence: what is in doubt is looked up before it goes on (L20). */
    const count = async () => {
      while (!isOver) {
        const next = bytes(String(counted.last + 1));
        try {
          const options = { expectedLastSubjectSequence: counted.sequence };
          counted.sequence = (await bus.append("fenced", next, options)).sequence;
          counted.last++;
        } catch (error) {
          if (!isPassing(error) && !isBusError(error, "wrong_sequence")) throw error;
          const tail = await bus.readLast("FENCED", "fenced").catch(() => undefined);
          if (tail) Object.assign(counted, { last: Number(text(tail.data)), sequence: tail.sequence });
          await sleep(20);
        }
      }
    };
    const writers = Promise.all([...Array.from({ length: 32 }, accept), count()]);

    await until("writing", () => acknowledged.length > 500 && counted.last > 20);
    const leader = await leaderOf("LOG");
    await leader.kill();
    const atKill = acknowledged.length;
    const countedAtKill = counted.last;
    await until("writing on", () => acknowledged.length > atKill + 500 && counted.last > countedAtKill + 20, 30_000);
    await until("the lease is renewed on the others", () => lease.isSafe(), 15_000);
    await leader.restart();
    const afterRestart = acknowledged.length;
    await until("writing with three again", () => acknowledged.length > afterRestart + 500, 30_000);
    isOver = true;
    await writers;
    await packer.close();

    const { last } = await bus.streamState("LOG");
    await until("read to the end", () => read.at(-1) === last);
    await reader.stop();
    expect(read).toEqual(Array.from({ length: last }, (_, at) => at + 1));
    for (const { id, sequence, index } of acknowledged) expect(ids.get(sequence)?.[index]).toBe(id);

    const numbers = (await bus.readSubject("FENCED", "fenced", { maxMessages: 100_000 })).map(({ data }) => text(data));
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, at) => String(at + 1)));
    expect(numbers.length).toBeGreaterThanOrEqual(counted.last);

    expect(isLost).toBe(false);
    // While the leader of its stream is elected, an object cannot be read.
    let kept: string | undefined;
    await until(
      "the object is read",
      async () => {
        kept = await files.get("kept").then(text, (error) => {
          if (!isPassing(error)) throw error;
          return undefined;
        });
        return kept !== undefined;
      },
      30_000,
    );
    expect(kept).toBe("object");
    await lease.release();
  });
});
