/** The Node.js runner: waits without code, loads one function, runs its calls (../PROTOCOL.md). */
import { Socket } from "node:net";
import { InvalidAnswer } from "./answers.mjs";
import { CallbackFailure, runCall, runInitializer } from "./calls.mjs";
import { findSyntaxFault } from "./check.mjs";
import { toErrorPayload, toFailure } from "./failures.mjs";
import { createFrameReader, encodeFrame, types } from "./frames.mjs";
import { findFile, loadHandler, MissingHandler } from "./load.mjs";
import { currentCall, markOutput } from "./log.mjs";

const socket = new Socket({ fd: 3, readable: true, writable: true });
let settings;
let handler;
let waiting = [];

/** Frames of one turn of the event loop leave as one write. */
function send(frame) {
  if (waiting.push(frame) === 1) setImmediate(flush);
}
function flush() {
  const frames = waiting;
  waiting = [];
  socket.write(frames.length === 1 ? frames[0] : Buffer.concat(frames));
}

async function load(text) {
  settings = JSON.parse(text);
  const { codeRoot, environment } = settings;
  process.chdir(codeRoot);
  Object.assign(process.env, environment);
  let step = "function_load_failed";
  try {
    handler = await loadHandler(codeRoot, settings.handler);
    if (settings.initializer) {
      const initializer = await loadHandler(codeRoot, settings.initializer);
      step = "function_init_failed";
      if (!settings.check) await runInitializer(settings, initializer);
    }
    send(encodeFrame(types.loaded, 0, { ok: true }));
  } catch (thrown) {
    const error = thrown instanceof CallbackFailure ? thrown.cause : thrown;
    const code = thrown instanceof MissingHandler ? "function_handler_missing" : step;
    const failure = toFailure(code, error, codeRoot);
    if (thrown instanceof MissingHandler) Object.assign(failure.details, thrown.details);
    if (settings.check && error instanceof SyntaxError) {
      failure.details.syntax = findSyntaxFault(findFile(codeRoot, settings.handler));
    }
    send(encodeFrame(types.loaded, 0, { ok: false, ...failure }));
  }
}

async function call(number, text, body) {
  try {
    const answer = await runCall(settings, handler, JSON.parse(text), body);
    send(encodeFrame(types.result, number, { s: answer.status, h: answer.headers }, answer.body));
  } catch (thrown) {
    const byCallback = thrown instanceof CallbackFailure;
    const code = thrown instanceof InvalidAnswer ? "function_result_invalid" : "function_threw";
    const failure = toFailure(code, byCallback ? thrown.cause : thrown, settings.codeRoot);
    const how = byCallback ? "function entry exception" : "function invocation exception";
    send(encodeFrame(types.failed, number, failure, toErrorPayload(failure, how)));
  }
}

/** An error that nobody awaits leaves the instance in an unknown state: it says why and ends. */
function fatal(thrown) {
  const failure = toFailure("function_rejection", thrown, settings?.codeRoot ?? "/");
  send(encodeFrame(types.fatal, 0, failure));
  flush();
  socket.end(() => process.exit(1));
}
process.on("uncaughtException", fatal);
process.on("unhandledRejection", fatal);

/** Loads and runs a handler of our own once: what Node.js compiles and caches on the first is done before a caller waits. */
async function rehearse() {
  const rehearsed = await loadHandler(import.meta.dirname, "rehearsal.handle");
  for (const style of ["event", "request"]) {
    const meta = { id: "", method: "POST", path: "/", query: "", headers: [] };
    const { status, headers, body } = await runCall({ style }, rehearsed, meta, Buffer.from("{}"));
    encodeFrame(types.result, 0, { s: status, h: headers }, body);
  }
}

markOutput();
socket.on(
  "data",
  createFrameReader((type, number, text, body) => {
    if (type === types.call) currentCall.run(number, call, number, text, body);
    else if (type === types.load) load(text);
    else if (type === types.stop) process.emit("SIGTERM");
  }),
);
socket.on("close", () => process.exit(0));
socket.on("error", () => process.exit(0));
await rehearse();
send(encodeFrame(types.ready, 0, { protocol: 1 }));
