import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectBus } from "@fnbus/bus";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DataFolder, openDataFolder } from "../src/data/folder.ts";
import { planNats, planRedis } from "../src/processes/server-specs.ts";
import { type Supervised, supervise } from "../src/processes/supervised.ts";
import { withDocker } from "../src/servers/docker.ts";
import { findServer } from "../src/servers/find-server.ts";
import { foldersOf } from "../src/servers/programs.ts";
import { wantedNats, wantedRedis } from "../src/servers/wanted.ts";
import { bareContext } from "./bare-context.ts";

const images = { nats: "nats:2.15-alpine", redis: "redis:7-bookworm" };
const bare = { ...bareContext(), toolFolders: foldersOf(process.env.PATH), images };
const docker = (...args: string[]) =>
  execFileSync("docker", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 60_000 }).trim();
const works = (...args: string[]) => {
  try {
    docker(...args);
    return true;
  } catch {
    return false;
  }
};
const missing = Object.values(images).find((image) => !works("image", "inspect", image) && !works("pull", image));
const nothing = { onLine() {}, onRestart() {}, onPid() {} };

describe.skipIf(missing !== undefined)(
  `a Docker engine instead of programs${missing ? ` (no ${missing})` : ""}`,
  () => {
    let data: DataFolder;
    let running: Supervised[];
    beforeEach(() => {
      data = openDataFolder(mkdtempSync(join(tmpdir(), "fnbus-docker-")));
      running = [];
    });
    afterEach(async () => {
      for (const one of running) await one.stop();
      data.release();
      rmSync(data.path, { recursive: true, force: true });
    });
    const find = async (kind: "nats" | "redis") => {
      const found = await withDocker.find(kind === "nats" ? wantedNats : wantedRedis, bare);
      if (typeof found === "string") throw new Error(found);
      return found;
    };
    const containers = (kind: "nats" | "redis") =>
      docker("ps", "-a", "--format", "{{.Names}} {{.Ports}}", "--filter", `volume=${data.folder(kind)}`);
    async function start(spec: Parameters<typeof supervise>[0]): Promise<Supervised> {
      const started = supervise(spec, nothing);
      running.push(started);
      await started.ready;
      return started;
    }

    test("it is the last step before the message, and says image, program and version", async () => {
      const offline = { ...bare, offline: true };
      expect(await findServer(wantedNats, offline)).toMatchObject({ how: "image", image: images.nats, from: "Docker" });
      expect(await findServer(wantedRedis, offline)).toMatchObject({
        command: "redis-server",
        version: expect.stringMatching(/^\d+\./),
      });
    });

    test("NATS runs in a container that listens on loopback alone, takes a message, and is gone when it is stopped", async () => {
      const plan = await planNats(data, await find("nats"), [], process.env);
      const nats = await start(plan.spec);
      expect(containers("nats")).toContain(`127.0.0.1:${plan.port}->`);
      expect(containers("nats")).not.toContain("0.0.0.0");
      const [name = ""] = containers("nats").split(" ");
      expect(docker("exec", name, "printenv", "GOGC")).toBe("200");
      const bus = await connectBus({ servers: plan.url, name: "outside" });
      const message = new Promise<string>((resolve) =>
        bus.subscribe("hello", ({ data: bytes }) => resolve(Buffer.from(bytes).toString())),
      );
      bus.publish("hello", Buffer.from("from outside"));
      expect(await message).toBe("from outside");
      await bus.drain();
      await nats.stop();
      expect(containers("nats")).toBe("");
    });

    test("Redis that is killed with its client keeps what it had, and the start after it takes the container's place", async () => {
      const plan = async () => planRedis(data, await find("redis"), process.env);
      const { port, spec } = await plan();
      const ask = (...command: string[]) => {
        const [name = ""] = containers("redis").split(" ");
        const password = `REDISCLI_AUTH=${data.secret("redis-password").value}`;
        return docker("exec", "-e", password, name, "redis-cli", "-p", String(port), ...command);
      };
      const first = await start(spec);
      ask("set", "kept", "yes");
      first.kill();
      const left = containers("redis");
      const again = await plan();
      expect(again.port).toBe(port);
      await start(again.spec);
      expect(ask("get", "kept")).toBe("yes");
      expect([left, containers("redis")].map((names) => names.split("\n").length)).toEqual([1, 1]);
    });

    test("an image that is not here and cannot be had is a reason, not a crash", async () => {
      const context = { ...bare, images: { nats: "fnbus.invalid/none:1" } };
      expect(await withDocker.find(wantedNats, { ...context, offline: true })).toMatch(/not here, and FNBUS_OFFLINE/);
      expect(await withDocker.find(wantedNats, context)).toMatch(/^fnbus\.invalid\/none:1: /);
      const other = { ...bare, images: { nats: images.redis } };
      expect(await withDocker.find(wantedNats, other)).toMatch(/^redis:7-bookworm: nats-server: /);
    });
  },
);
