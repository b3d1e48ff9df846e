import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Answer } from "./api.ts";
import type { Stack } from "./stack.ts";

/** What the client keeps of a call that was answered 202: its own list, against which everything is checked. */
export interface Accepted {
  id: string;
  token: string;
  callback: boolean;
  keyed: boolean;
}

export interface AsyncCall {
  token?: string;
  key?: string;
  sleepMs?: number;
  /** URL of the callback; undefined: none wanted. */
  callback?: string | undefined;
  /** Whether the run reports itself to the callback target; yes unless told. */
  report?: boolean;
  gateway?: number;
  timeoutMs?: number;
}

export const idOf = (answer: Answer): string => answer.headers.location?.split("/").pop() ?? "";

/** One asynchronous call of the function `work`. */
export function callAsync(stack: Stack, call: AsyncCall = {}): Promise<Answer> {
  const token = call.token ?? randomUUID();
  return stack.api.call("POST", "/spaces/default/functions/work/async-invoke", {
    body: JSON.stringify({
      token,
      report: call.report === false ? undefined : stack.target.url("/ran/"),
      sleepMs: call.sleepMs ?? 0,
    }),
    headers: {
      "content-type": "application/json",
      ...(call.key === undefined ? {} : { "idempotency-key": call.key }),
      ...(call.callback === undefined ? {} : { "x-callback-url": call.callback }),
    },
    gateway: call.gateway ?? 0,
    timeoutMs: call.timeoutMs ?? 20_000,
  });
}

/** One asynchronous call that must be accepted. */
export async function accept(stack: Stack, call: AsyncCall = {}): Promise<Accepted> {
  const token = call.token ?? randomUUID();
  const answer = await callAsync(stack, { ...call, token });
  if (answer.status !== 202) throw new Error(`not accepted: ${answer.status} ${answer.text}`);
  return { id: idOf(answer), token, callback: call.callback !== undefined, keyed: call.key !== undefined };
}

export interface Load {
  accepted: Accepted[];
  /** Answers that were not 202, by status; "cut" where the connection broke. */
  refused: Map<string, number>;
  stop(): Promise<void>;
}

/**
 * Callers that call one after the other until stopped. Half of the calls have a key and are repeated with it until they are
 * accepted (I2); an unkeyed one is accepted or not, and what was not answered 202 is not claimed.
 */
export function offerLoad(stack: Stack, options: { callers: number; pauseMs?: number; callback?: boolean }): Load {
  const accepted: Accepted[] = [];
  const refused: Load["refused"] = new Map();
  let stopped = false;
  const refuse = (why: string) => refused.set(why, (refused.get(why) ?? 0) + 1);

  const callOnce = async (call: AsyncCall & { token: string }): Promise<boolean> => {
    try {
      const answer = await callAsync(stack, { ...call, timeoutMs: 10_000 });
      if (answer.status === 202) {
        const keyed = call.key !== undefined;
        accepted.push({ id: idOf(answer), token: call.token, callback: call.callback !== undefined, keyed });
        return true;
      }
      refuse(String(answer.status));
    } catch {
      refuse("cut");
    }
    return false;
  };
  const caller = async (index: number) => {
    const gateways = stack.api.urls.length;
    for (let count = 0; !stopped; count++) {
      const token = randomUUID();
      const call = {
        token,
        callback: options.callback === false ? undefined : stack.target.url("/hook"),
        gateway: (index + count) % gateways,
      };
      if (count % 2 === 0) await callOnce(call);
      else
        for (let tries = 0; tries < 200; tries++) {
          if (await callOnce({ ...call, key: token, gateway: (call.gateway + tries) % gateways })) break;
          await sleep(250);
        }
      await sleep(options.pauseMs ?? 5);
    }
  };
  const callers = Array.from({ length: options.callers }, (_, index) => caller(index));
  return {
    accepted,
    refused,
    async stop() {
      stopped = true;
      await Promise.all(callers);
    },
  };
}
