import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Platform, startPlatform, startTestExecutor, type TestExecutor } from "./platform.ts";

let platform: Platform;
let executor: TestExecutor;
let secrets: string;
beforeAll(async () => {
  secrets = mkdtempSync(join(tmpdir(), "fnbus-secret-"));
  writeFileSync(join(secrets, "token"), "the platform's secret");
  process.env.NATS_PASSWORD = "the platform's password";
  platform = await startPlatform();
  executor = await startTestExecutor(platform);
});
afterAll(async () => {
  delete process.env.NATS_PASSWORD;
  rmSync(secrets, { recursive: true });
  await executor.stop();
  await platform.stop();
});

/** Runs Python statements in a function; `answer` is what it returns. */
async function inside(source: string, more: object = {}): Promise<unknown> {
  const code = `import os, json, socket, subprocess\ndef handler(event, context):\n${source.replace(/^/gm, "    ")}\n    return [answer]`;
  const deployed = await platform.deploy(
    { runtime: "python", handler: "index.handler", environment: { MINE: "own value" }, ...more },
    { "index.py": code },
  );
  const { reply, body } = await platform.call(deployed);
  if (!reply.ok || reply.result.error) throw new Error(JSON.stringify(reply));
  return JSON.parse(body.toString())[0];
}

describe("a function in the sandbox (I10)", () => {
  test("sees its own environment and nothing of the platform's", async () => {
    const environment = (await inside("answer = dict(os.environ)")) as Record<string, string>;
    expect(environment.MINE).toBe("own value");
    expect(environment.RUNTIME_FUNC_NAME).toMatch(/^f-/);
    expect(JSON.stringify(environment)).not.toContain("NATS");
    expect(Object.keys(environment).filter((name) => name.startsWith("FNBUS"))).toEqual(["FNBUS_INSTANCE"]);
    expect(await inside("answer = open('/proc/self/environ').read()")).not.toContain("NATS");
  });

  test("can make no user namespace, in which it would hold capabilities", async () => {
    const command = "['unshare', '--user', '--map-root-user', 'true']";
    expect(await inside(`answer = subprocess.run(${command}, capture_output=True).returncode`)).not.toBe(0);
  });

  test("cannot read files of the machine outside its runtime and code", async () => {
    const paths = [
      join(secrets, "token"),
      "/etc/shadow",
      "/etc/passwd",
      "/root",
      "/home",
      "/var",
      "/work",
      "/sys/fs/cgroup",
    ];
    const seen = await inside(`answer = [path for path in ${JSON.stringify(paths)} if os.path.exists(path)]`);
    expect(seen).toEqual([]);
  });

  test("sees no other function's code, and cannot write its own or its runtime", async () => {
    expect(await inside("answer = sorted(os.listdir('/opt/function')) + os.listdir('/opt/function/code')")).toEqual([
      "code",
      "index.py",
    ]);
    const tries = [
      "/opt/function/code/index.py",
      "/opt/function/x",
      "/opt/fnbus/runtime/x",
      "/usr/bin/x",
      "/proc/sys/kernel/hostname",
    ];
    const source = `answer = []\nfor path in ${JSON.stringify(tries)}:\n    try:\n        open(path, "a").close()\n        answer.append(path)\n    except OSError: pass`;
    expect(await inside(source)).toEqual([]);
  });

  test("sees no process but its own, and holds no capability", async () => {
    const commands = (await inside(
      "answer = [open('/proc/%s/cmdline' % p).read() for p in os.listdir('/proc') if p.isdigit()]",
    )) as string[];
    expect(commands.length).toBeLessThanOrEqual(3);
    expect(commands.join()).not.toMatch(/nats-server|vitest|spawner/);
    const status = (await inside("answer = open('/proc/self/status').read()")) as string;
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^Uid:\t65534\t65534/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  });

  test("has open no descriptor of ours: /dev/null, its log, its runner's", async () => {
    const source =
      "answer = [os.readlink('/proc/self/fd/' + n) for n in os.listdir('/proc/self/fd') if os.path.lexists('/proc/self/fd/' + n)]";
    const open = (await inside(source)) as string[];
    expect(open.filter((name) => !/^(\/dev\/null|socket:.*|anon_inode:\[eventpoll\])$/.test(name))).toEqual([]);
  });

  test("without network reaches neither the broker nor anything else", async () => {
    const port = new URL(platform.url).port;
    const source = `try:\n    socket.create_connection(("127.0.0.1", ${port}), 1).close()\n    answer = "connected"\nexcept OSError as error:\n    answer = type(error).__name__`;
    expect(await inside(source, { network: false })).toBe("ConnectionRefusedError");
    expect(await inside(source, { network: true })).toBe("connected");
  });

  test("fills its /tmp up to a bound, not the machine's", async () => {
    const source = `answer = 0\ntry:\n    with open("/tmp/big", "wb") as file:\n        for _ in range(200):\n            file.write(bytes(1048576))\n            answer += 1\nexcept OSError: pass`;
    expect(await inside(source, { memoryMb: 512 })).toBeLessThanOrEqual(64);
  });

  test("demanded strictly, it runs here and says so", async () => {
    expect(executor.health?.()).toMatchObject({ isolation: { level: "sandbox" }, memoryLimits: true });
    expect(await inside("answer = 1", { isolation: "strict" })).toBe(1);
  });
});

describe("without a sandbox", () => {
  test("a function that demands isolation is refused, any other runs, and a setsid grandchild dies with its deadline", async () => {
    const plain = await startTestExecutor(platform, {
      FNBUS_EXECUTOR_ISOLATION: "process",
      FNBUS_EXECUTOR_POOL: "plain",
    });
    const settings = { runtime: "python", handler: "index.handler", pool: "plain", timeoutMs: 1_000 } as const;
    const source =
      'import subprocess, time, os\ndef handler(e, c):\n    subprocess.Popen(["/bin/sleep", "876543"], start_new_session=True)\n    if e: time.sleep(30)\n    return [k for k in os.environ if "NATS" in k]';
    const strict = await platform.deploy({ ...settings, isolation: "strict" }, { "index.py": source });
    const any = await platform.deploy(settings, { "index.py": source });
    expect((await platform.call(strict)).reply).toMatchObject({ ok: false, code: "isolation_unavailable" });
    expect((await platform.call(any)).body.toString()).toBe("[]");
    expect((await platform.call(any, "true")).reply).toMatchObject({ result: { error: { code: "function_timeout" } } });
    await plain.stop();
    expect(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })).not.toContain("sleep 876543");
  });
});
