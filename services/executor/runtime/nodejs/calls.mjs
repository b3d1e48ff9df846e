/** Runs one call in either handler style. */
import { toPlainAnswer, toRequestAnswer } from "./answers.mjs";
import { createContext } from "./context.mjs";

/** The event: the parsed body; text where it is not JSON; {} where it is empty. */
function toEvent(body) {
  if (body.length === 0) return {};
  const text = body.toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Thrown by an event handler through its callback: FunctionGraph words it in its own way. */
export class CallbackFailure extends Error {
  constructor(cause) {
    super("callback error", { cause });
  }
}

/** A value, a promise or a callback: whichever answers first. A handler of three parameters that returns nothing answers by callback. */
function callEventHandler(handler, event, context) {
  return new Promise((resolve, reject) => {
    const callback = (error, data) => (error ? reject(new CallbackFailure(error)) : resolve(data));
    const returned = handler(event, context, callback);
    if (typeof returned?.then === "function") returned.then(resolve, reject);
    else if (returned !== undefined || handler.length < 3) resolve(returned);
  });
}

function toRequest(meta, body) {
  const headers = Object.create(null);
  for (const [name, value] of meta.headers) headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  let query;
  return {
    method: meta.method,
    path: meta.path,
    rawQuery: meta.query,
    headers,
    body,
    get query() {
      if (!query) {
        query = Object.create(null);
        for (const [name, value] of new URLSearchParams(meta.query)) {
          const known = query[name];
          query[name] = known === undefined ? value : Array.isArray(known) ? [...known, value] : [known, value];
        }
      }
      return query;
    },
  };
}

/** { status, headers, body } of one call; rejects with what the handler threw. */
export async function runCall(settings, handler, meta, body) {
  if (settings.style === "request") return toRequestAnswer(await handler(toRequest(meta, body)));
  return toPlainAnswer(
    await callEventHandler(handler, toEvent(body), createContext(settings, meta, performance.now())),
  );
}

/** Runs the initializer once: by callback, promise or return. */
export async function runInitializer(settings, initializer) {
  const context = createContext(settings, { id: "" }, performance.now());
  await callEventHandler(
    (_event, given, callback) =>
      initializer.length >= 2 ? initializer(given, callback) : Promise.resolve(initializer(given)),
    {},
    context,
  );
}
