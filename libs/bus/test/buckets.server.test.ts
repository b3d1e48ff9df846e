import { randomBytes } from "node:crypto";
import { connectBus, isBusError, type KeyValue } from "@fnbus/bus";
import { assertSilence, type Silence, until } from "@fnbus/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Bench, bytes, serverBinaries, startBench, text } from "./servers.ts";

const MB = 1024 * 1024;

describe.each(serverBinaries)("buckets on %s", (binary) => {
  let bench: Bench;
  let keys: KeyValue;
  let silence: Silence;
  beforeAll(async () => {
    bench = await startBench(binary);
    keys = await bench.bus.keyValue("KEYS");
  });
  afterAll(() => bench.stop());
  beforeEach(() => {
    silence = assertSilence();
  });
  afterEach(() => silence.assert());

  it("say not_found for a bucket that does not exist", async () => {
    await expect(bench.bus.keyValue("NONE")).rejects.toMatchObject({ code: "not_found" });
    await expect(bench.bus.objects("NONE")).rejects.toMatchObject({ code: "not_found" });
  });

  describe("of keys", () => {
    it("let one of many create a key", async () => {
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, at) => keys.create("one", bytes(String(at)))),
      );
      const made = results.flatMap((result, at) => (result.status === "fulfilled" ? [at] : []));
      expect(made).toHaveLength(1);
      for (const result of results)
        if (result.status === "rejected") expect(isBusError(result.reason, "exists", "wrong_sequence")).toBe(true);
      expect(text((await keys.get("one"))?.value)).toBe(String(made[0]));
    });
    it("lose no update of a counter that eight writers count up", async () => {
      await keys.create("counter", bytes("0"));
      const count = async () => {
        for (let done = 0; done < 10; ) {
          const { value, revision } = (await keys.get("counter"))!;
          try {
            await keys.update("counter", bytes(String(Number(text(value)) + 1)), revision);
            done++;
          } catch (error) {
            if (!isBusError(error, "wrong_sequence")) throw error;
          }
        }
      };
      await Promise.all(Array.from({ length: 8 }, count));
      expect(text((await keys.get("counter"))?.value)).toBe("80");
    });
    it("refuse an update or removal of a revision that is not the last", async () => {
      const first = await keys.create("changing", bytes("1"));
      const second = await keys.update("changing", bytes("2"), first);
      await expect(keys.update("changing", bytes("3"), first)).rejects.toMatchObject({ code: "wrong_sequence" });
      await expect(keys.delete("changing", first)).rejects.toMatchObject({ code: "wrong_sequence" });
      expect(text((await keys.get("changing"))?.value)).toBe("2");
      await keys.delete("changing", second);
      expect(await keys.get("changing")).toBe(undefined);
      expect(await keys.create("changing", bytes("4"))).toBeGreaterThan(second);
    });
    it.each(["", "a b", "a>", "a*", "ä", "a:b"])("refuse %j as a key", async (key) => {
      await expect(keys.put(key, bytes("1"))).rejects.toMatchObject({ code: "forbidden" });
    });
    it("forget a key up to a revision, and nothing that was written after it", async () => {
      const first = await keys.put("void", bytes("1"));
      await keys.forget("void", first);
      expect(await keys.get("void")).toBe(undefined);
      expect(await keys.create("void", bytes("2"))).toBeGreaterThan(first);
      await keys.forget("void", first);
      expect(text((await keys.get("void"))?.value)).toBe("2");
    });
    it("tell a watch that was cut off of what was removed and forgotten meanwhile, and of nothing twice", async () => {
      const { bus, nats } = bench;
      await keys.put("kept", bytes("1"));
      await keys.put("gone", bytes("1"));
      const forgotten = await keys.put("forgotten", bytes("1"));
      const heard: string[] = [];
      const watch = await keys.watch(({ key, value }) => heard.push(`${key} ${text(value) ?? "removed"}`));
      heard.length = 0;
      await nats.restart();
      const other = await connectBus({ servers: nats.url, name: "other", connectTimeoutMs: 5_000 });
      const otherKeys = await other.keyValue("KEYS");
      // Faster than the watch comes back: all of it happens while it is away.
      await otherKeys.delete("gone");
      await otherKeys.forget("forgotten", forgotten);
      await otherKeys.put("new", bytes("2"));
      await until("connected again", () => bus.isConnected());
      await until("heard of all", () => heard.includes("forgotten removed") && heard.includes("new 2"));
      expect(heard.toSorted()).toEqual(["forgotten removed", "gone removed", "new 2"]);
      watch.stop();
      await other.drain();
    });
  });

  describe("of objects", () => {
    it("give back what was put, also when it is large, empty or put again", async () => {
      const files = await bench.bus.objects("FILES");
      const large = randomBytes(20 * MB);
      await files.put("large", large);
      expect(large.equals((await files.get("large"))!)).toBe(true);
      await files.put("empty", new Uint8Array(0));
      expect(await files.get("empty")).toHaveLength(0);
      await files.put("twice", bytes("one"));
      await files.put("twice", bytes("two"));
      expect(text(await files.get("twice"))).toBe("two");
      const listed = (await files.list()).map(({ name, bytes: size }) => [name, size]);
      expect(listed.toSorted()).toEqual([
        ["empty", 0],
        ["large", large.length],
        ["twice", 3],
      ]);
      for (const name of ["large", "empty", "twice"]) await files.delete(name);
    });
    it("are read any number of times: a get leaves nothing at the server, which takes a thousand consumers", async () => {
      const files = await bench.bus.objects("FILES");
      await files.put("read-often", bytes("x"));
      for (let round = 0; round < 24; round++)
        await Promise.all(Array.from({ length: 50 }, () => files.get("read-often")));
      expect(text(await files.get("read-often"))).toBe("x");
      await files.delete("read-often");
    });
    it("leave nothing behind of one that is removed, not even its name", async () => {
      const files = await bench.bus.objects("FILES");
      await files.put("code/a?b>c*.zip", randomBytes(MB));
      await files.delete("code/a?b>c*.zip");
      await files.delete("never-there");
      expect(await files.get("code/a?b>c*.zip")).toBe(undefined);
      expect(await files.list()).toEqual([]);
      expect((await bench.bus.streamState("OBJ_FILES")).messages).toBe(0);
    });
    it.each(["", "a b", "ä", "a".repeat(256)])("refuse %j as a name", async (name) => {
      const files = await bench.bus.objects("FILES");
      await expect(files.put(name, bytes("x"))).rejects.toMatchObject({ code: "forbidden" });
    });
    it("say that they are full, and keep what they had (L1)", async () => {
      await bench.bus.provision({ streams: [], keyValues: [], objects: [{ name: "TINY", maxBytes: MB, replicas: 1 }] });
      const tiny = await bench.bus.objects("TINY");
      await tiny.put("first", bytes("kept"));
      await expect(tiny.put("second", randomBytes(2 * MB))).rejects.toMatchObject({ code: "full" });
      expect(text(await tiny.get("first"))).toBe("kept");
      expect(await tiny.get("second")).toBe(undefined);
    });
    it("never show half of one whose putting was cut off", async () => {
      const { bus, nats } = bench;
      const files = await bus.objects("FILES");
      const putting = files.put("half", randomBytes(40 * MB));
      const failed = expect(putting).rejects.toMatchObject({ code: "disconnected" });
      await until("chunks arrive", async () => (await bus.streamState("OBJ_FILES")).messages > 5);
      await nats.restart();
      await failed;
      await until("connected again", () => bus.isConnected());
      expect(await files.get("half")).toBe(undefined);
      await files.put("half", bytes("whole"));
      expect(text(await files.get("half"))).toBe("whole");
    });
  });
});
