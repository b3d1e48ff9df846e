import type { Bus } from "@fnbus/bus";
import { type AccessKey, buckets, createId, hashSecret, platformStorage } from "@fnbus/contract";
import { type Access, createAccess } from "@fnbus/registry";
import { assertSilence, connectTestBus, type NatsServer, type Silence, startNats, until } from "@fnbus/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

const toKey = (change: Partial<AccessKey> = {}): AccessKey => ({
  id: createId(),
  name: "key",
  kind: "key",
  secretHash: hashSecret("secret"),
  scopes: ["function.read"],
  spaces: [],
  createdAt: Date.now(),
  ...change,
});
const toToken = (expiresAt: number) => toKey({ kind: "token", expiresAt, client: "app::01ARZ3NDEKTSV4RRFFQ69G5FAV" });
const STREAM = `KV_${buckets.access}`;

describe("keys and tokens", () => {
  let nats: NatsServer;
  let bus: Bus;
  let otherBus: Bus;
  let access: Access;
  /** Of another replica. Both sweep often, and forget what has expired for half a second. */
  let other: Access;
  let silence: Silence;
  beforeAll(async () => {
    nats = await startNats();
    bus = await connectTestBus(nats);
    otherBus = await connectTestBus(nats, "other");
    await bus.provision({ ...platformStorage({ partitions: 0, replicas: 1 }), streams: [], objects: [] });
    access = await createAccess(bus, { sweepEveryMs: 50, keepExpiredMs: 500 });
    other = await createAccess(otherBus, { sweepEveryMs: 50, keepExpiredMs: 500 });
  });
  afterAll(async () => {
    access.stop();
    other.stop();
    await bus.drain();
    await otherBus.drain();
    await nats.stop();
  });
  beforeEach(() => {
    silence = assertSilence();
  });
  afterEach(() => silence.assert());

  it("are known at once where they were made, and soon everywhere, a client's id with its colons too", async () => {
    const key = toKey({ id: "app::01ARZ3NDEKTSV4RRFFQ69G5FAV", kind: "client" });
    await access.putKey(key);
    expect(access.keyById(key.id)).toEqual(key);
    await until("the other knows it", () => other.keyById(key.id) !== undefined);
    expect(other.keys()).toContainEqual(key);
  });
  it.each(["key", "token"] as const)("of kind %s are gone everywhere when they are removed", async (kind) => {
    const key = kind === "key" ? toKey() : toToken(Date.now() + 60_000);
    await access.putKey(key);
    await until("the other knows it", () => other.keyById(key.id) !== undefined);
    await access.deleteKey(key.id);
    expect(access.keyById(key.id)).toBe(undefined);
    await until("the other has forgotten it", () => other.keyById(key.id) === undefined);
    expect(other.keys().map(({ id }) => id)).not.toContain(key.id);
    for (const one of [access, other])
      await expect(one.deleteKey(key.id)).rejects.toMatchObject({ code: "key_not_found" });
    const fromStart = await createAccess(bus);
    expect(fromStart.keyById(key.id)).toBe(undefined);
    fromStart.stop();
  });
  it("leave nothing in the bucket when they are tokens that have expired, removed or not (I11)", async () => {
    const before = (await bus.streamState(STREAM)).messages;
    const living = toToken(Date.now() + 60_000);
    await access.putKey(living);
    const tokens = Array.from({ length: 20 }, () => toToken(Date.now()));
    for (const token of tokens) await access.putKey(token);
    for (const token of tokens.slice(10)) await access.deleteKey(token.id);
    expect((await bus.streamState(STREAM)).messages).toBe(before + 21);
    await until("forgotten", async () => (await bus.streamState(STREAM)).messages === before + 1);
    await until("out of memory", () => tokens.every(({ id }) => !access.keyById(id) && !other.keyById(id)));
    expect(other.keyById(living.id)).toEqual(living);
  });
  it("that were removed while a replica was cut off are gone there when it is back", async () => {
    const key = toKey();
    const token = toToken(Date.now() + 60_000);
    for (const one of [key, token]) await access.putKey(one);
    await until("the other knows them", () => other.keyById(token.id) !== undefined);
    await nats.restart();
    const third = await connectTestBus(nats, "third");
    const fromStart = await createAccess(third);
    for (const { id } of [key, token]) await fromStart.deleteKey(id);
    await until("gone", () => [key, token].every(({ id }) => !access.keyById(id) && !other.keyById(id)));
    fromStart.stop();
    await third.drain();
  });
});
