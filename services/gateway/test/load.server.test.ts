import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { Agent, request } from "node:http";
import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { until } from "@fnbus/testing";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { type Platform, result, sendRaw, startExecutor, startPlatform } from "./platform.ts";

describe("load", () => {
  let platform: Platform;
  let executor: { stop(): void };
  const start = async (variables: Record<string, string>, runMs: number) => {
    platform = await startPlatform(variables);
    await platform.deploy("slow");
    executor = startExecutor(platform.bus, async () => {
      await setTimeout(runMs);
      return { reply: { ok: true, result: result() }, body: Buffer.from("done") };
    });
  };
  afterEach(async () => {
    executor.stop();
    await platform.stop();
  });
  const invoke = () => platform.fetch("/spaces/default/functions/slow/invoke", { method: "POST", body: "x" });

  it("I11: over the requests in progress that are allowed, calls are 503 at once, with when to come again", async () => {
    await start({ FNBUS_MAX_IN_FLIGHT: "5" }, 500);
    const answers = await Promise.all(Array.from({ length: 12 }, invoke));
    const refused = answers.filter(({ status }) => status === 503);
    expect(refused).toHaveLength(7);
    expect(refused[0]!.headers.get("x-fnbus-error")).toBe("overloaded");
    expect(Number(refused[0]!.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await invoke()).status).toBe(200);
  });

  it("I11: bodies that are announced but never sent hold no more than what is allowed, and give it back", async () => {
    await start({ FNBUS_MAX_BODY_MB: "16" }, 1);
    const head = `POST /spaces/default/functions/slow/invoke HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${platform.adminKey}\r\ncontent-length: 6000000\r\n\r\n`;
    const hanging = [1, 2].map(() => sendRaw(platform.url, head, 1500));
    await setTimeout(300);
    const third = await sendRaw(platform.url, head, 300);
    expect(third).toContain("x-fnbus-error: overloaded");
    await Promise.all(hanging);
    await until("the room is free again", async () => (await invoke()).status === 200);
  });

  it("a graceful stop answers every request that was taken", async () => {
    await start({}, 300);
    const answers = Array.from({ length: 20 }, invoke);
    await setTimeout(100);
    const stopped = platform.stopGateway();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(20).fill(200));
    await stopped;
    await expect(invoke()).rejects.toThrow();
  });

  it("a stop under load cuts no connection that a request is on: callers are answered, or cannot connect", async () => {
    await start({}, 2);
    const accepted = noteAcceptedPorts();
    const agent = new Agent({ keepAlive: true });
    const ends = new Set<unknown>();
    const caller = async () => {
      for (let isUp = true; isUp; ) {
        const sent = request(`${platform.url}/spaces/default/functions/slow/invoke`, {
          ...{ method: "POST", agent, headers: { authorization: `Bearer ${platform.adminKey}` } },
        });
        let port: number | undefined;
        sent.once("socket", (socket) => {
          port = socket.localPort;
          socket.once("connect", () => {
            port = socket.localPort;
          });
        });
        const [answer] = await once(sent.end("x"), "response").catch((error: NodeJS.ErrnoException) => {
          // The kernel had taken the connection, the gateway never saw it.
          const isUnseen = error.code === "ECONNRESET" && !accepted.has(port);
          ends.add(isUnseen ? "ECONNREFUSED" : error.code);
          isUp = false;
          return [];
        });
        if (!answer) continue;
        ends.add(answer.statusCode);
        await once(answer.resume(), "end");
      }
    };
    const callers = Array.from({ length: 16 }, caller);
    await setTimeout(300);
    await platform.stopGateway();
    await Promise.all(callers);
    agent.destroy();
    expect([...ends].sort()).toEqual([200, "ECONNREFUSED"]);
  });

  it("I11: callers that leave before their answer hold nothing, and a stop does not wait for them", async () => {
    await start({ FNBUS_MAX_IN_FLIGHT: "5" }, 200);
    const leaving = Array.from({ length: 5 }, () =>
      platform.fetch("/spaces/default/functions/slow/invoke", {
        method: "POST",
        body: "x",
        signal: AbortSignal.timeout(50),
      }),
    );
    await Promise.allSettled(leaving);
    await until("their places are free", async () => (await invoke()).status === 200);
    const begun = performance.now();
    await platform.stopGateway();
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});

/** Ports of the connections that a server of this process has accepted, until the test is over. */
function noteAcceptedPorts(): Set<number | undefined> {
  const ports = new Set<number | undefined>();
  const note = (message: unknown) => ports.add((message as { socket: Socket }).socket.remotePort);
  subscribe("net.server.socket", note);
  onTestFinished(() => void unsubscribe("net.server.socket", note));
  return ports;
}
