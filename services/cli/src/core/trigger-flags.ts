import type { TriggerType } from "@fnbus/contract";
import { readDurationMs, readNumber } from "./arguments.ts";
import { UsageError } from "./exit-codes.ts";

/** An option that sets a field of a trigger's config. `path`: names below config. */
interface Flag {
  types: readonly TriggerType[];
  path: (type: TriggerType) => string[];
  read: (text: string, option: string, type: TriggerType) => unknown;
  description: string;
  valueHint?: string;
}

const text = (value: string) => value;
const list = (value: string) => value.split(",").flatMap((part) => part.trim() || []);
const number = (value: string, option: string) => readNumber(value, option);
const duration = (value: string, option: string) => readDurationMs(value, option);
const flag = (
  types: readonly TriggerType[],
  field: string | ((type: TriggerType) => string[]),
  read: Flag["read"],
  description: string,
  valueHint?: string,
): Flag => ({
  ...{ types, read, description, path: typeof field === "string" ? () => [field] : field },
  ...(valueHint !== undefined && { valueHint }),
});

const ticking: readonly TriggerType[] = ["timer", "cron"];
const brokers: readonly TriggerType[] = ["mqtt", "rabbitmq"];
const users: readonly TriggerType[] = ["mqtt", "rabbitmq", "kafka"];
const batches: readonly TriggerType[] = ["kafka", "rabbitmq"];
const sasl = (field: string) => (type: TriggerType) => (type === "kafka" ? ["sasl", field] : [field]);

/** Options of `triggers create` and `change`, by the types that have them. What has no option stands in --config. */
export const configFlags: Readonly<Record<string, Flag>> = {
  schedule: flag(["timer"], "schedule", text, "when: cron, @every 5m, @daily", "*/5 * * * *"),
  syntax: flag(["timer"], "syntax", text, "standard or functiongraph (seconds first)"),
  timezone: flag(ticking, "timezone", text, "IANA name (UTC)", "Europe/Berlin"),
  "catch-up": flag(ticking, "catchUp", text, "missed ticks: none, last or all"),
  "catch-up-window": flag(ticking, "catchUpWindowMs", duration, "how far back they are made up for", "1d"),
  overlap: flag(ticking, "overlap", text, "beside an unfinished run: allow, skip or queue-one"),
  "user-event": flag(["timer"], "userEvent", text, "handed to the function as user_event"),
  host: flag(brokers, "host", text, "the broker, host or host:port"),
  port: flag(brokers, "port", number, "the broker's port"),
  topics: flag(
    users,
    "topics",
    (value, _option, type) => (type === "kafka" ? list(value) : value),
    "topics or routing keys, comma-separated",
    "sensors/+/temperature",
  ),
  username: flag(users, sasl("username"), text, "user of the broker"),
  sasl: flag(["kafka"], sasl("mechanism"), text, "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"),
  qos: flag(["mqtt"], "qos", number, "0 or 1"),
  vhost: flag(["rabbitmq"], "vhost", text, "virtual host"),
  exchange: flag(["rabbitmq"], "exchange", text, "exchange that the queue is bound to"),
  queue: flag(["rabbitmq"], "queue", text, "queue that is read"),
  form: flag(["rabbitmq"], "form", text, "message, or functiongraph (batches for one function)"),
  brokers: flag(["kafka"], "brokers", list, "host:port each, comma-separated"),
  group: flag(["kafka"], "groupId", text, "consumer group"),
  from: flag(["kafka"], "from", text, "where to begin: latest or earliest"),
  "batch-size": flag(batches, "batchSize", number, "records in one invocation at most"),
  "batch-window": flag(batches, "batchWindowMs", duration, "how long a batch may wait to be filled", "500ms"),
  bucket: flag(["obs"], "bucket", text, "bucket of the objects"),
  events: flag(["obs"], "events", list, "object events, comma-separated", "ObjectCreated"),
  prefix: flag(["obs"], "prefix", text, "objects whose name begins so"),
  suffix: flag(["obs"], "suffix", text, "objects whose name ends so"),
  "log-group": flag(["lts"], "logGroupId", text, "log group id"),
  "log-topic": flag(["lts"], "logTopicId", text, "log topic id"),
  operations: flag(["cts"], "operations", list, "service:resource types:operations, comma-separated"),
  "event-types": flag(["cloudevents"], "types", list, "types that are taken, * at the end"),
  "event-sources": flag(["cloudevents"], "sources", list, "sources that are taken, * at the end"),
};

/** Options whose value is what a file holds: secrets and certificates never stand on a command line. */
export const fileFlags: Readonly<Record<string, Omit<Flag, "read">>> = {
  "password-file": flag(users, sasl("password"), text, "file with the password; - reads stdin", "file"),
  "ca-file": flag(
    users,
    () => ["tls", "ca"],
    text,
    "PEM file of the authority that the broker's certificate is of",
    "file",
  ),
  "cert-file": flag(users, () => ["tls", "certificate"], text, "PEM file of the client's certificate", "file"),
  "key-file": flag(users, () => ["tls", "key"], text, "PEM file of the client's key", "file"),
};

type Json = Record<string, unknown>;

function put(config: Json, [name, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) config[name!] = value;
  else {
    const inner = { ...(config[name!] as Json | undefined) };
    config[name!] = inner;
    put(inner, rest, value);
  }
}

/**
 * The config that options say, over what a file says. `files`: the texts of file options.
 * Throws UsageError for an option that the type does not have.
 */
export function toTriggerConfig(
  type: TriggerType,
  args: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, string>>,
  base: Json = {},
): Json {
  const config: Json = { ...base };
  const known = (name: string, { types }: Pick<Flag, "types">) => {
    if (!types.includes(type))
      throw new UsageError(`--${name} is for triggers of type ${types.join(", ")}, not ${type}`);
  };
  for (const [name, one] of Object.entries(configFlags)) {
    const value = args[name];
    if (typeof value !== "string") continue;
    known(name, one);
    put(config, one.path(type), one.read(value, `--${name}`, type));
  }
  if (args.tls === true) {
    known("tls", { types: users });
    config.tls = { ...(config.tls as Json | undefined) };
  }
  for (const [name, value] of Object.entries(files)) {
    known(name, fileFlags[name]!);
    put(config, fileFlags[name]!.path(type), name === "password-file" ? value.replace(/\r?\n$/, "") : value);
  }
  return config;
}
