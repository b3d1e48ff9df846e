import { createHash } from "node:crypto";
import type { LtsConfig } from "@fnbus/contract";
import {
  isObject,
  type Json,
  MAX_EVENTS,
  malformed,
  parseJson,
  type Reading,
  textOf,
  toJsonPart,
  writeJson,
} from "./event-part.ts";

/** Of the decoded logs that one event carries (wire-compatibility.md 5.5). One line that is longer goes alone. */
const SPLIT_BYTES = 75 * 1024;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Log records as events `{"lts":{"data":"<base64>"}}`, split at 75 KB. Taken in that form, or plain:
 * `{logs, log_group_id, log_topic_id, owner}`. Throws `event_malformed`, `invalid_json`.
 */
export function readLts(config: LtsConfig, value: unknown): Reading {
  if (!isObject(value)) throw malformed("log records are to be an object");
  const plain = "lts" in value ? decodeData(value.lts) : value;
  const batch: Json = { log_group_id: config.logGroupId, log_topic_id: config.logTopicId, ...plain };
  const logs = toLogs(batch.logs);
  if (batch.log_group_id !== config.logGroupId || batch.log_topic_id !== config.logTopicId)
    return { parts: [], filtered: 1 };
  const chunks = split(logs, batch);
  if (chunks.length > MAX_EVENTS) throw malformed(`the logs make more than ${MAX_EVENTS} events`, "logs");
  return { parts: chunks.map((chunk) => toPart(chunk, batch)), filtered: 0 };
}

function decodeData(lts: unknown): Json {
  if (!isObject(lts)) throw malformed("lts is to be an object", "lts");
  const data = textOf(lts, "data", "lts.");
  if (!base64.test(data)) throw malformed("lts.data is to be base64", "lts.data");
  const decoded = parseJson(Buffer.from(data, "base64"));
  if (!isObject(decoded)) throw malformed("lts.data is to hold an object", "lts.data");
  return decoded;
}

/** A list; some senders write it as the JSON text of one. */
function toLogs(given: unknown): Json[] {
  const logs = typeof given === "string" ? parseJson(Buffer.from(given)) : given;
  if (!Array.isArray(logs) || !logs.every(isObject)) throw malformed("logs is to be a list of objects", "logs");
  return logs;
}

/** In order, so that every event is as full as it may be. */
function split(logs: readonly Json[], batch: Json): Json[][] {
  const chunks: Json[][] = [];
  const empty = writeJson({ ...batch, logs: [] }).length;
  let bytes = Number.POSITIVE_INFINITY;
  for (const log of logs) {
    const more = writeJson(log).length + 1;
    if (bytes + more > SPLIT_BYTES) {
      chunks.push([]);
      bytes = empty;
    }
    chunks.at(-1)!.push(log);
    bytes += more;
  }
  return chunks;
}

function toPart(logs: Json[], batch: Json) {
  const data = writeJson({ ...batch, logs });
  // Lines that carry ids are themselves when they are delivered again; equal lines without are different lines.
  const isNamed = logs.every(({ log_uid: uid }) => typeof uid === "string" && uid !== "");
  const name = isNamed ? createHash("sha256").update(data).digest("hex") : undefined;
  return toJsonPart(writeJson({ lts: { data: data.toString("base64") } }), name);
}
