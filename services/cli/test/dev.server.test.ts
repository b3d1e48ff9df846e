import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { freePorts, startMosquitto, until } from "@fnbus/testing";
import { expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

function start(...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
  const exit = once(child, "exit");
  return { child, text: () => text, code: async () => (await exit)[0] as number };
}
const run = async (...args: string[]) => {
  const one = start(...args);
  return { code: await one.code(), text: one.text() };
};

test("dev mosquitto runs a broker that takes what dev publish sends, until it is interrupted", async () => {
  const [port] = await freePorts(1);
  const nobody = await run("dev", "publish", "a", "b", "--port", `${port}`);
  expect(nobody).toEqual({ code: 3, text: expect.stringContaining("fnbus dev mosquitto") });
  const broker = start("dev", "mosquitto", "--port", `${port}`);
  await until("it listens", () => broker.text().includes("fnbus triggers create"), 20_000);
  expect(await run("dev", "publish", "sensors/1", "x".repeat(300), "--port", `${port}`)).toMatchObject({ code: 0 });
  expect(await run("dev", "mosquitto", "--port", `${port}`)).toEqual({
    code: 3,
    text: expect.stringContaining("--port"),
  });
  broker.child.kill("SIGINT");
  expect(await broker.code()).toBe(0);
  expect(await run("dev", "publish", "a", "b", "--port", `${port}`)).toMatchObject({ code: 3 });
});

test("dev publish tells wrong use from a broker that refuses", async () => {
  expect(await run("dev", "publish", "a/+", "b")).toMatchObject({ code: 2 });
  expect(await run("dev", "publish", "a", "b", "--port", "many")).toMatchObject({ code: 2 });
  const broker = await startMosquitto({ users: { somebody: "else" } });
  const refused = await run("dev", "publish", "a", "b", "--port", `${broker.port}`);
  expect(refused).toEqual({ code: 3, text: expect.stringContaining("refused the connection") });
  await broker.stop();
});
