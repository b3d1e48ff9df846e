import { type BusUser, busPermissions, busUsers } from "@fnbus/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Refusals, startNatsWithUsers, tryAs, type UsersServer } from "./nats-users.ts";

const permissions = busPermissions(2);
const users = busUsers.map((user) => ({ user, password: `password of ${user}`, permissions: permissions[user] }));

/** One subject below each pattern of the table, of every user. */
const concrete = (pattern: string): string => pattern.replaceAll("*", "x1").replace(/>$/, "x1.y1");
const known = [
  ...new Set(users.flatMap(({ permissions: { publish, subscribe } }) => [...publish, ...subscribe]).map(concrete)),
];
/** What nobody may do. */
const forbidden = [
  ...["$SYS.REQ.SERVER.PING", "$SYS.ACCOUNT.$G.CONNECT", "other", "outcomes.2", "_INBOX.x1", "_INBOX_other.x1"],
  ...["$JS.API.STREAM.DELETE.OUTCOMES_0", "$JS.API.STREAM.MSG.DELETE.OUTCOMES_0", "$JS.API.STREAM.CREATE.OTHER"],
  ...["$JS.API.STREAM.LIST", "$JS.API.STREAM.SNAPSHOT.KV_ACCESS", "$JS.API.STREAM.RESTORE.KV_ACCESS"],
  ...["$JS.API.ACCOUNT.PURGE.x1", "$JS.ACK.OUTCOMES_0.x1.1.1.1.1.1", "$JS.API.CONSUMER.DURABLE.CREATE.OUTCOMES_0.x1"],
];
const subjects = [...known, ...forbidden];

/** NATS's own rule of what a pattern covers, written apart from the server. */
function covers(pattern: string, subject: string): boolean {
  const [wanted, given] = [pattern.split("."), subject.split(".")];
  return wanted.every((token, index) => {
    if (token === ">") return given.length > index;
    return (
      given[index] !== undefined &&
      (token === "*" || token === given[index]) &&
      !(index === wanted.length - 1 && given.length > wanted.length)
    );
  });
}

const refused = new Map<BusUser, Refusals>();
let server: UsersServer;

beforeAll(async () => {
  server = await startNatsWithUsers(users);
  for (const user of users) refused.set(user.user, await tryAs(server.port, user, subjects));
});
afterAll(() => server.stop());

describe.each(busUsers)("the user %s", (user) => {
  test.each(["publish", "subscribe"] as const)("is refused to %s everything that its table does not list", (kind) => {
    const wanted = subjects.filter((subject) => !permissions[user][kind].some((pattern) => covers(pattern, subject)));
    expect(wanted.length).toBeGreaterThan(20);
    expect(refused.get(user)![kind].sort()).toEqual(wanted.sort());
  });
});

/** Who is not refused. */
const may = (kind: keyof Refusals, subject: string): BusUser[] =>
  busUsers.filter((user) => !refused.get(user)![kind].includes(subject));

describe("what the platform rests on", () => {
  test.each<[string, string[], BusUser[]]>([
    [
      "L19, I3: the ledger alone decides outcomes, parks and hands work out",
      ["outcomes.0", "parked.0", "work.x1"],
      ["ledger"],
    ],
    [
      "L22: the ledger alone trims what is accepted and decided",
      ["$JS.API.STREAM.PURGE.INVOCATIONS_0", "$JS.API.STREAM.PURGE.OUTCOMES_0"],
      ["ledger"],
    ],
    [
      "I1: the gateway and those who run triggers accept invocations",
      ["invocations.0"],
      ["gateway", "scheduler", "mqtt-bridge", "event-ingest"],
    ],
    ["the gateway alone calls executors", ["calls.x1.x1.y1", "callat.x1"], ["gateway"]],
    ["executors alone tell results and log lines", ["results.0", "logs.x1.x1", "announce.executors"], ["executor"]],
    [
      "I10: keys are read by whoever checks them, and at the start",
      ["$JS.API.STREAM.MSG.GET.KV_ACCESS", "$JS.API.CONSUMER.CREATE.KV_ACCESS"],
      ["gateway", "event-ingest", "provision"],
    ],
    ["I10: keys are written by the gateway, and at the start", ["$KV.ACCESS.x1.y1"], ["gateway", "provision"]],
    ["triggers are changed by the gateway alone", ["$KV.TRIGGERS.x1.y1"], ["gateway"]],
    [
      "I10: brokers' credentials are read by those who run triggers, and by no service that runs user code",
      ["$JS.API.STREAM.MSG.GET.KV_TRIGGERS", "$JS.API.CONSUMER.CREATE.KV_TRIGGERS"],
      ["gateway", "scheduler", "mqtt-bridge", "event-ingest"],
    ],
    [
      "functions are changed by the gateway, the first space at the start",
      ["$KV.REGISTRY.x1.y1"],
      ["gateway", "provision"],
    ],
    ["I10: code is replaced by the gateway alone", ["$O.CODE.x1.y1"], ["gateway"]],
    [
      "streams are made and changed at the start alone",
      ["$JS.API.STREAM.CREATE.OUTCOMES_0", "$JS.API.STREAM.UPDATE.KV_ACCESS"],
      ["provision"],
    ],
    ["callbacks are led by their dispatcher", ["announce.callbacks.0", "$O.CALLBACKS.x1.y1"], ["callback-dispatcher"]],
    [
      "L19: partitions are taken over by ledgers, and freed at the start",
      ["$KV.LEASES.ledger.x1"],
      ["ledger", "provision"],
    ],
    [
      "callbacks are taken over by dispatchers, and freed at the start",
      ["$KV.LEASES.callbacks"],
      ["callback-dispatcher", "provision"],
    ],
    ["nobody deletes a stream or reads the system", forbidden, []],
  ])("%s", (_claim, published, users) => {
    for (const subject of published) expect(may("publish", subject), subject).toEqual(users);
  });

  test("I10: an answer is read by whoever asked, and by nobody else", () => {
    for (const user of busUsers) expect(may("subscribe", `_INBOX_${user}.x1.y1`)).toEqual([user]);
    expect(may("subscribe", "_INBOX.x1")).toEqual([]);
  });

  test("I10: calls and work are read by executors alone, results and questions by the ledger", () => {
    for (const subject of ["calls.x1.x1.y1", "work.x1"]) expect(may("subscribe", subject)).toEqual(["executor"]);
    for (const subject of ["results.0", "ask.ledger.0"]) expect(may("subscribe", subject)).toEqual(["ledger"]);
    for (const subject of ["outcomes.0", "invocations.0", "records.0", "parked.0"])
      expect(may("subscribe", subject)).toEqual([]);
  });
});
