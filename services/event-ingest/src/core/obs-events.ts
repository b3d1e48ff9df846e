import { FnbusError, type ObsConfig } from "@fnbus/contract";
import { checkObsEvents } from "@fnbus/sources";
import {
  isObject,
  type Json,
  MAX_EVENTS,
  malformed,
  type Reading,
  textOf,
  toJsonPart,
  writeJson,
} from "./event-part.ts";

/** Kinds of object events of S3 and its kin: one that no trigger may name is filtered, not an error. */
const eventName =
  /^(?:s3:)?(?:Object[A-Z]\w*|LifecycleExpiration|LifecycleTransition|IntelligentTiering|Replication|ReducedRedundancyLostObject|Scanner):\w+(?::\w+)*$/;

/** What is sent once when a notification is set up. */
const isTest = (value: Json): boolean => value.Event === "s3:TestEvent" || value.Event === "TestEvent";

/**
 * The records of an object notification (FunctionGraph's, S3's or MinIO's form) that the trigger takes, each an event of its
 * own (functiongraph-event-sources.txt; wire-compatibility.md 5.4). Throws `event_malformed`, `event_type_unknown`.
 */
export function readObs(config: ObsConfig, value: unknown): Reading {
  if (!isObject(value)) throw malformed("the notification is to be an object with Records");
  if (isTest(value)) return { parts: [], filtered: 0 };
  const { Records: records } = value;
  if (!Array.isArray(records)) throw malformed("Records is to be a list", "Records");
  if (records.length > MAX_EVENTS) throw malformed(`more than ${MAX_EVENTS} records`, "Records");
  const events = checkObsEvents(config.events);
  const all = records.map((record: unknown, at) => toRecord(record, `Records[${at}].`));
  const taken = all.filter(({ bucket, key, record }) => {
    const { prefix = "", suffix = "" } = config;
    return bucket === config.bucket && events.has(record.eventName) && key.startsWith(prefix) && key.endsWith(suffix);
  });
  return {
    parts: taken.map(({ record, name }) => toJsonPart(writeJson({ Records: [record] }), name)),
    filtered: all.length - taken.length,
  };
}

interface ObsRecord {
  bucket: string;
  /** As it is called; in the record it stays as it came, which is URL-encoded. */
  key: string;
  /** The same for a notification that is delivered again. */
  name: string;
  record: Json & { eventName: string };
}

function toRecord(value: unknown, path: string): ObsRecord {
  if (!isObject(value)) throw malformed(`${path.slice(0, -1)} is to be an object`, path.slice(0, -1));
  const given = textOf(value, "eventName", path);
  if (!eventName.test(given))
    throw new FnbusError("event_type_unknown", `${path}eventName names no object event`, {
      details: { field: `${path}eventName` },
    });
  const eventTime = textOf(value, "eventTime", path);
  if (Number.isNaN(Date.parse(eventTime))) throw malformed(`${path}eventTime is no time`, `${path}eventTime`);
  const { s3 } = value;
  if (!isObject(s3) || !isObject(s3.bucket) || !isObject(s3.object))
    throw malformed(`${path}s3 is to have bucket and object`, `${path}s3`);
  const bucket = textOf(s3.bucket, "name", `${path}s3.bucket.`);
  const key = textOf(s3.object, "key", `${path}s3.object.`);
  const { sequencer, eTag, versionId } = toTexts(s3.object);
  const name = given.replace(/^s3:/, "");
  const region = value.awsRegion ?? value.Region ?? value.region ?? "";
  return {
    bucket,
    key: decodeKey(key),
    name: JSON.stringify(
      sequencer === undefined ? [bucket, key, eTag, versionId, eventTime, name] : [bucket, key, sequencer, name],
    ),
    record: {
      eventVersion: "2.0",
      ...value,
      eventTime: new Date(eventTime).toISOString(),
      s3: { ...s3, bucket: { arn: `arn:aws:s3:::${bucket}`, ...s3.bucket } },
      Region: region,
      awsRegion: region,
      eventName: name,
    },
  };
}

const toTexts = (object: Json): Partial<Record<string, string>> =>
  Object.fromEntries(Object.entries(object).filter((entry): entry is [string, string] => typeof entry[1] === "string"));

/** Notifications carry keys as form fields are written: %XX, and + for a space. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    return key;
  }
}
