import { FnbusError, limits } from "@fnbus/contract";
import type { EventCall } from "@fnbus/publisher";

/** One invocation to be: an event, without the trigger and the function that it goes to. */
export type EventPart = Pick<EventCall, "kind" | "headers" | "body" | "name" | "traceparent">;

/** What a delivery comes to. */
export interface Reading {
  parts: EventPart[];
  /** Events that the trigger's filter does not take. */
  filtered: number;
}

/** Events of one delivery at most (I11). */
export const MAX_EVENTS = 1_000;

export type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `event_malformed`, naming the field. Messages never hold what the event holds. */
export const malformed = (message: string, field?: string): FnbusError =>
  new FnbusError("event_malformed", message, field === undefined ? {} : { details: { field } });

/** A text field that must be there. */
export function textOf(from: Json, field: string, path: string): string {
  const value = from[field];
  if (typeof value !== "string" || value === "") throw malformed(`${path}${field} is to be a text`, `${path}${field}`);
  return value;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Throws `event_malformed` where the bytes are no UTF-8, `invalid_json` where the text is no JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw malformed("the body is not UTF-8");
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    throw new FnbusError("invalid_json", undefined, {
      details: { position: position === undefined ? text.length : Number(position) },
    });
  }
}

/** JSON of a value that was parsed. Writing goes by recursion where reading did not: deep nesting ends the stack. */
export function writeJson(value: unknown): Buffer {
  try {
    return Buffer.from(JSON.stringify(value), "utf8");
  } catch (error) {
    if (error instanceof RangeError) throw malformed("the event is nested too deeply");
    throw error;
  }
}

/** Throws `record_too_large`: what came small may be larger in the form that the function gets. */
export function checkSize(body: Uint8Array): Uint8Array {
  if (body.length > limits.requestBodyBytes)
    throw new FnbusError("record_too_large", undefined, { details: { limitBytes: limits.requestBodyBytes } });
  return body;
}

/** An invocation whose body is the event. */
export const toJsonPart = (json: Uint8Array, name?: string): EventPart => ({
  kind: "event",
  headers: [["content-type", "application/json"]],
  body: checkSize(json),
  ...(name !== undefined && { name }),
});
