import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { extraFolders, findProgram, foldersOf } from "@fnbus/local/programs";
import type { Broker } from "../command.ts";

const IMAGE = "eclipse-mosquitto:2";
const ENGINE_MS = 3_000;
/** An image may have to be pulled. */
const READY_MS = 120_000;
const STEP_MS = 50;

/** Ends the program with us, however we end: the pipe on its input closes. A terminal's Ctrl-C reaches only us. */
const SCRIPT = 'exec 3<&0; "$@" </dev/null & pid=$!; (cat <&3 >/dev/null; kill $pid 2>/dev/null) & wait $pid';

/**
 * Starts mosquitto, installed or by a Docker engine, with a configuration of its own that lets this machine alone in, and
 * everybody on it. Throws what to install where neither is there, and when the port is taken.
 */
export async function startMosquitto(
  port: number,
  signal: AbortSignal,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<Broker> {
  if (await isListening(port)) throw new Error(`Something listens on 127.0.0.1:${port} already: choose another --port`);
  const folders = [...foldersOf(variables.PATH), ...extraFolders(homedir())];
  const folder = await mkdtemp(join(tmpdir(), "fnbus-mosquitto-"));
  try {
    const found = await findCommand(folders, port, folder);
    const child = spawn("/bin/sh", ["-c", SCRIPT, "sh", ...found.command], {
      stdio: ["pipe", "ignore", "inherit"],
      detached: true,
    });
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    const stop = () => child.stdin?.destroy();
    signal.addEventListener("abort", stop);
    process.once("SIGTERM", stop);
    await untilListening(port, child, signal);
    return { what: found.what, ended: ended.finally(() => rm(folder, { recursive: true, force: true })) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function findCommand(
  folders: string[],
  port: number,
  folder: string,
): Promise<{ what: string; command: string[] }> {
  const program = await findProgram("mosquitto", folders);
  if (program) {
    const config = join(folder, "mosquitto.conf");
    await writeFile(config, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type error\n`);
    return { what: program, command: [program, "-c", config] };
  }
  const docker = await findProgram("docker", folders);
  const answers =
    docker && (await promisify(execFile)(docker, ["version"], { timeout: ENGINE_MS }).catch(() => undefined));
  if (docker && answers) {
    const publish = ["-p", `127.0.0.1:${port}:1883`];
    const inside = ["mosquitto", "-c", "/mosquitto-no-auth.conf"];
    return { what: `${IMAGE} in Docker`, command: [docker, "run", "--rm", "-i", ...publish, IMAGE, ...inside] };
  }
  throw new Error(
    "No mosquitto on PATH, and no Docker engine answers.\nInstall it: sudo apt-get install mosquitto, or brew install mosquitto",
  );
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });

async function untilListening(port: number, child: { exitCode: number | null }, signal: AbortSignal): Promise<void> {
  for (let waited = 0; waited < READY_MS && child.exitCode === null && !signal.aborted; waited += STEP_MS) {
    if (await isListening(port)) return;
    await setTimeout(STEP_MS);
  }
  if (!signal.aborted) throw new Error(`mosquitto does not listen on 127.0.0.1:${port}`);
}
