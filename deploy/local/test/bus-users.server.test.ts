import { randomBytes } from "node:crypto";
import { type Bus, connectBus } from "@fnbus/bus";
import { type BusUser, buckets, busPermissions, busUsers, streams, subjects } from "@fnbus/contract";
import { provisionPlatform } from "@fnbus/provision";
import { createAccess, createRegistry } from "@fnbus/registry";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startNatsWithUsers, type UsersServer } from "./nats-users.ts";

const permissions = busPermissions(2);
const users = busUsers.map((user) => ({ user, password: `password of ${user}`, permissions: permissions[user] }));
/** Over two chunks of an object: the broker asks its reader how far it is. */
const large = randomBytes(400_000);

let server: UsersServer;
const open: Bus[] = [];

async function connectAs(user: BusUser, name: string = user): Promise<Bus> {
  const password = `password of ${user}`;
  const bus = await connectBus({ servers: `nats://127.0.0.1:${server.port}`, name, user, password });
  open.push(bus);
  return bus;
}

beforeAll(async () => {
  server = await startNatsWithUsers(users);
  const bus = await connectAs("provision");
  await provisionPlatform(bus, { partitions: 2, replicas: 1 });
  // A second time, with other sizes: what stands is changed.
  await provisionPlatform(bus, { partitions: 2, replicas: 1, sizes: { logs: 1_000_000 } });
});
afterAll(async () => {
  for (const bus of open) await bus.drain();
  await server.stop();
});

async function useObjects(bus: Bus, bucket: string): Promise<void> {
  const store = await bus.objects(bucket);
  await store.put("a/b", large);
  expect(await store.get("a/b")).toHaveLength(large.length);
  expect((await store.list()).map(({ name }) => name)).toEqual(["a/b"]);
  await store.delete("a/b");
  expect(await store.get("a/b")).toBeUndefined();
}

async function useStream(bus: Bus, stream: string): Promise<void> {
  const { last } = await bus.streamState(stream);
  let read = 0;
  const reader = await bus.readLog(stream, 1, (batch) => {
    read += batch.length;
  });
  await until("all was read", () => read === last);
  await reader.stop();
  expect(await bus.readAt(stream, last)).toBeDefined();
}

test("the gateway accepts, changes definitions, keys and code, and reads log lines", async () => {
  const bus = await connectAs("gateway");
  await bus.createPacker(subjects.invocations(1)).add(randomBytes(10));
  await bus.append(subjects.records(1), randomBytes(10));
  await useObjects(bus, buckets.code);
  await useObjects(bus, buckets.bodies);
  const registry = await createRegistry(bus);
  await registry.createSpace({ name: "other", createdAt: 1 });
  await registry.deleteSpace("other");
  registry.stop();
  const access = await createAccess(bus, { sweepEveryMs: 50 });
  const key = { name: "t", secretHash: "h", scopes: [], spaces: [], createdAt: 1 };
  await access.putKey({ ...key, id: "t1", kind: "token", expiresAt: 2 });
  await until("the token is forgotten", () => access.keyById("t1") === undefined);
  await access.putKey({ ...key, id: "k1", kind: "key" });
  await access.deleteKey("k1");
  access.stop();
  expect(await bus.readSubject(streams.logs, subjects.logs("default", "f"), { maxMessages: 9 })).toEqual([]);
});

test("the ledger decides, trims, parks, keeps checkpoints and owns partitions; its other connections read", async () => {
  const bus = await connectAs("ledger");
  await bus.append(subjects.outcomes(1), randomBytes(10), { expectedLastSubjectSequence: 0 });
  for (const subject of [subjects.parked(1), subjects.records(1)]) await bus.append(subject, randomBytes(10));
  for (const name of [streams.invocations, streams.outcomes, streams.parked, streams.records]) {
    await useStream(bus, name(1));
    await bus.trim(name(1), 2);
  }
  await useObjects(bus, buckets.checkpoints);
  await useObjects(bus, buckets.bodies);
  (await createRegistry(bus)).stop();
  const options = { bucket: buckets.leases, key: "ledger.1", holder: "me", leaseMs: 1_000, value: {} };
  const lease = await bus.acquireLease(options, AbortSignal.timeout(5_000));
  await lease.setValue({ epoch: 1 });
  await lease.release();
  for (const name of ["ledger-projection", "ledger-rebuild"])
    expect((await (await connectAs("ledger", name)).streamState(streams.records(1))).last).toBeGreaterThan(0);
});

test("the executor reads code and definitions, hears owners, and stores large results", async () => {
  const gateway = await connectAs("gateway");
  await (await gateway.objects(buckets.code)).put("f/1", large);
  const bus = await connectAs("executor");
  (await createRegistry(bus)).stop();
  expect(await (await bus.objects(buckets.code)).get("f/1")).toHaveLength(large.length);
  await useObjects(bus, buckets.bodies);
  (await (await bus.keyValue(buckets.leases)).watch(() => {})).stop();
});

test("the callback dispatcher follows both logs, leads alone and keeps copies", async () => {
  await (await connectAs("ledger")).append(subjects.outcomes(0), randomBytes(10));
  const bus = await connectAs("callback-dispatcher");
  await bus.append(subjects.records(0), randomBytes(10));
  for (const name of [streams.outcomes, streams.records]) await useStream(bus, name(0));
  await useObjects(bus, buckets.callbacks);
  expect(await (await bus.objects(buckets.bodies)).get("none")).toBeUndefined();
  const options = { bucket: buckets.leases, key: "callbacks", holder: "me", leaseMs: 1_000, value: {} };
  await (await bus.acquireLease(options, AbortSignal.timeout(5_000))).release();
});

test("answers find whoever asked: calls and checks, holds, verdicts, questions, questions about callbacks", async () => {
  const asks: [BusUser, string, BusUser, string][] = [
    ["gateway", subjects.call("shared", "default", "f"), "executor", subjects.calls("shared")],
    ["gateway", subjects.callAt("e1"), "executor", subjects.callAt("e1")],
    ["gateway", subjects.check("shared"), "executor", subjects.check("shared")],
    ["ledger", subjects.holds("e1"), "executor", subjects.holds("e1")],
    ["gateway", subjects.ask(1), "ledger", subjects.ask(1)],
    ["gateway", subjects.askCallbacks, "callback-dispatcher", subjects.askCallbacks],
  ];
  for (const [from, to, user, subject] of asks) {
    const answering = (await connectAs(user)).subscribe(subject, (message) => message.respond(Buffer.from("yes")));
    const asking = await connectAs(from);
    const answer = await asking.request(to, new Uint8Array(0), { timeoutMs: 2_000 });
    expect(Buffer.from(answer.data).toString(), to).toBe("yes");
    answering.unsubscribe();
  }
  const heard = Promise.withResolvers<void>();
  const inbox = (await connectAs("gateway")).createInbox(() => heard.resolve());
  (await connectAs("ledger")).publish(inbox.subject, new Uint8Array(0));
  await heard.promise;
});
