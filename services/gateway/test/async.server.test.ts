import { decodeFrame, decodeInvocationPack, type LedgerAnnouncement, streams } from "@fnbus/contract";
import { until } from "@fnbus/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Platform, type ScriptedLedger, startLedger, startPlatform } from "./platform.ts";

describe("an asynchronous call", () => {
  let platform: Platform;
  let ledger: ScriptedLedger;
  let judge: ScriptedLedger["judge"];
  let beforeLedger: { notReady: string[]; keyed: Response; plain: Response };

  beforeAll(async () => {
    platform = await startPlatform({ FNBUS_ACCEPT_TIMEOUT_MS: "3000" });
    await platform.deploy("hello");
    beforeLedger = {
      notReady: platform.notReady(),
      keyed: await accept({ headers: { "idempotency-key": "k0" } }),
      plain: await accept(),
    };
    ledger = await startLedger(platform.bus);
    judge = ledger.judge;
    await heard();
  });
  afterAll(async () => {
    await ledger.stop();
    await platform.stop();
  });
  afterEach(async () => {
    ledger.judge = judge;
    ledger.announcement = {};
    await heard();
  });
  /** The gateway has heard what the ledger announces now. */
  const heard = async () => {
    const wanted =
      JSON.stringify(ledger.announcement.full ?? []) +
      (ledger.announcement.fill ?? 0) +
      (ledger.announcement.keptKeys ?? 0);
    await until("the announcement is heard", async () => {
      const { partitions } = (await (await platform.fetch("/v1/health")).json()) as {
        partitions: LedgerAnnouncement[];
      };
      return partitions.some((said) => JSON.stringify(said.full) + said.fill + said.keptKeys === wanted);
    });
  };
  const accept = (options: Parameters<Platform["fetch"]>[1] = {}, rest = "") =>
    platform.fetch(`/spaces/default/functions/hello/async-invoke${rest}`, { method: "POST", ...options });
  const code = (answer: Response) => [answer.status, answer.headers.get("x-fnbus-error")];

  it("is refused with a key until a ledger is heard, which /ready says; without one it is served", () => {
    const { notReady, keyed, plain } = beforeLedger;
    expect(notReady).toEqual(["no ledger of partition 0 is heard yet: keyed calls are refused"]);
    expect([code(keyed), plain.status]).toEqual([[503, "verdict_missing"], 202]);
    expect(platform.notReady()).toEqual([]);
  });

  it("I1: is answered 202 with an empty body only after the log holds it", async () => {
    const before = (await platform.bus.streamState(streams.invocations(0))).last;
    const headers = { "x-callback-url": "http://127.0.0.1:9999/hook", "x-call-id": "mine" };
    const answer = await accept({ body: "data", headers }, "/a/b/c?q=1");
    expect([answer.status, await answer.text()]).toEqual([202, ""]);
    const id = answer.headers.get("x-fnbus-invocation-id")!;
    expect(answer.headers.get("location")).toBe(`/v1/spaces/default/invocations/${id}`);
    expect(answer.headers.get("x-call-id")).toBe("mine");
    expect(answer.headers.get("x-start-time")).toMatch(/^\d{19}$/);
    const stored = await platform.bus.readAt(streams.invocations(0), before + 1);
    const [head] = decodeInvocationPack(stored!.data);
    const { meta, body } = decodeFrame(Buffer.from(stored!.data), head!.offset);
    expect(meta).toMatchObject({
      id,
      path: "/a/b/c",
      query: "q=1",
      callId: "mine",
      callbackUrl: "http://127.0.0.1:9999/hook",
    });
    expect(Buffer.from(body).toString()).toBe("data");
  });

  it("takes a body over 256 KB by claim check", async () => {
    const answer = await accept({ body: Buffer.alloc(5_000_000, 3) });
    expect(answer.status).toBe(202);
    await until("it is read", () => ledger.accepted.at(-1)?.id === answer.headers.get("x-fnbus-invocation-id"));
    expect(ledger.accepted.at(-1)!.bodyBytes).toBe(0);
    const [object] = await (await platform.bus.objects("BODIES")).list();
    expect(object).toMatchObject({ bytes: 5_000_000 });
    expect(object!.name).toMatch(new RegExp(`^0/${answer.headers.get("x-fnbus-invocation-id")}/request/`));
  });

  it("takes only POST", async () => {
    const answer = await platform.fetch("/spaces/default/functions/hello/async-invoke", { method: "PUT" });
    expect([...code(answer), answer.headers.get("allow")]).toEqual([405, "method_not_allowed", "POST"]);
  });

  it("I2: the same key is the same invocation; with another body 422", async () => {
    const keyed = (body: string) => accept({ body, headers: { "idempotency-key": "k1" } });
    const first = await keyed("one");
    const again = await keyed("one");
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.headers.get("x-fnbus-invocation-id")).toBe(first.headers.get("x-fnbus-invocation-id"));
    expect([first.headers.get("idempotent-replayed"), again.headers.get("idempotent-replayed")]).toEqual([
      null,
      "true",
    ]);
    expect(code(await keyed("two"))).toEqual([422, "idempotency_conflict"]);
  });

  it("I2: of twenty at once with one key and two bodies, all of one body are the same invocation and the others 422", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        accept({ body: at < 10 ? "a" : "b", headers: { "idempotency-key": "k2" } }),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 202)).toHaveLength(10);
    expect(statuses.filter((status) => status === 422)).toHaveLength(10);
    expect(new Set(answers.map(({ headers }) => headers.get("x-fnbus-invocation-id")).filter(Boolean)).size).toBe(1);
  });

  it("L11: without a verdict a keyed call is 503 and may be repeated; a late one is asked for again", async () => {
    ledger.judge = () => undefined;
    const answer = await accept({ headers: { "idempotency-key": "k3" } });
    expect(code(answer)).toEqual([503, "verdict_missing"]);
    let asked = 0;
    ledger.judge = (head) => (++asked === 1 ? undefined : judge(head));
    expect((await accept({ headers: { "idempotency-key": "k4" } })).status).toBe(202);
  });

  it("C6: of many with one key that nobody judges, none waits longer than one would", async () => {
    ledger.judge = () => undefined;
    const began = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => accept({ headers: { "idempotency-key": "k6" } })),
    );
    expect(answers.map(code)).toEqual(Array(5).fill([503, "verdict_missing"]));
    expect(performance.now() - began).toBeLessThan(2 * 3_000);
  });

  it("L23: refuses before accepting what the ledger announced as full", async () => {
    const registryId = await platform.registryId("hello");
    ledger.announcement = { full: [registryId] };
    await heard();
    const count = ledger.accepted.length;
    expect(code(await accept())).toEqual([429, "function_backlog_full"]);
    ledger.announcement = { fill: 0.85 };
    await heard();
    expect(code(await accept())).toEqual([503, "backlog_full"]);
    ledger.announcement = { keptKeys: 0.9 };
    await heard();
    expect(code(await accept({ headers: { "idempotency-key": "k5" } }))).toEqual([503, "kept_keys_full"]);
    expect(ledger.accepted).toHaveLength(count);
    expect((await accept()).status).toBe(202);
  });

  it.each([
    ["ftp://example.com/", "callback_url_invalid"],
    ["not a url", "callback_url_invalid"],
    ["http://user:secret@example.com/", "callback_url_credentials"],
    ["http://169.254.169.254/latest", "callback_url_forbidden"],
    ["http://10.0.0.1/", "callback_url_forbidden"],
    ["http://example.com:6379/", "callback_url_forbidden"],
  ])("a callback to %s is 400 %s", async (url, expected) => {
    expect(code(await accept({ headers: { "x-callback-url": url } }))).toEqual([400, expected]);
  });

  it("I1: a broker that is killed means no 202, and what was answered 202 is stored when it is back", async () => {
    const ids: string[] = [];
    let stop = false;
    const refused: (string | null)[] = [];
    const caller = async () => {
      while (!stop) {
        const answer = await accept({ body: "x" });
        if (answer.status === 202) ids.push(answer.headers.get("x-fnbus-invocation-id")!);
        else refused.push(answer.headers.get("x-fnbus-error"));
      }
    };
    const callers = Array.from({ length: 8 }, caller);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await platform.nats.kill();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const began = performance.now();
    expect(code(await accept())).toEqual([503, "broker_unavailable"]);
    expect(performance.now() - began).toBeLessThan(1_000);
    await platform.nats.restart();
    await until("calls are accepted again", async () => (await accept()).status === 202, 20_000);
    stop = true;
    await Promise.all(callers);
    expect(ids.length).toBeGreaterThan(10);
    for (const error of refused) expect(["accept_unknown", "broker_unavailable"]).toContain(error);
    await until("all that was accepted is read", () => {
      const read = new Set(ledger.accepted.map(({ id }) => id));
      return ids.every((id) => read.has(id));
    });
  });
});
