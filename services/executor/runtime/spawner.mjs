/**
 * Starts runners for the executor: `spawn` blocks the process that calls it in proportion to its memory (34 ms at 2 GB),
 * so a small one does it. It hands the three descriptors over, tells of ends, and when the executor is gone, by whatever
 * death, it kills all that it started.
 *
 * In: { do: "start", id, command, args, env } · { do: "kill", id } · { do: "end" }.
 * Out: { id, what: "pid", pid } · { id, what: "descriptor", number } with a handle · { id, what: "exit", code, signal } · { id, what: "failed", message }.
 */
import { spawn } from "node:child_process";

const children = new Map();
const LIFELINE_MS = 500;

/** An executor that is gone hears nothing, and its going is handled below. */
const tell = (message, handle) => process.connected && process.send(message, handle, () => {});

function start({ id, command, args, env }) {
  let child;
  try {
    child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe", "pipe"], detached: true, cwd: "/" });
  } catch (error) {
    tell({ id, what: "failed", message: error.message });
    return;
  }
  child.once("error", (error) => tell({ id, what: "failed", message: error.message }));
  if (child.pid === undefined) return;
  children.set(id, child);
  tell({ id, what: "pid", pid: child.pid });
  for (const number of [3, 1, 2]) {
    // What arrives before the hand-over must stay in the descriptor.
    child.stdio[number]._handle.readStop();
    tell({ id, what: "descriptor", number }, child.stdio[number]);
  }
  child.once("exit", (code, signal) => {
    children.delete(id);
    tell({ id, what: "exit", code, signal });
  });
}

function kill(child) {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended meanwhile: its exit is on the way.
  }
}

function end() {
  for (const child of children.values()) kill(child);
  process.exit(0);
}

process.on("message", (message) => {
  if (message.do === "end") end();
  else if (message.do === "start") start(message);
  else if (children.has(message.id)) kill(children.get(message.id));
});
process.on("disconnect", end);
// The event stays away when the channel closes while descriptors wait to be handed over: the state is asked too.
const executor = process.ppid;
setInterval(() => {
  if (!process.connected || process.ppid !== executor) end();
}, LIFELINE_MS);
// Ctrl-C reaches the whole group: the executor finishes its runs first and then disconnects.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});
