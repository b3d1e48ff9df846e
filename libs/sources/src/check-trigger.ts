import {
  FnbusError,
  type FunctionSettings,
  spaceWideTypes,
  type TriggerConfigs,
  type TriggerSettings,
  type TriggerType,
} from "@fnbus/contract";
import { checkCtsOperations } from "./audit-operations.ts";
import { checkSchema, splitAddress, within, wrongConfig } from "./check-config.ts";
import { checkObsEvents } from "./object-events.ts";
import { parseSchedule } from "./schedule/parse.ts";
import { checkFilter, parseFilters } from "./topics.ts";

type Json = Record<string, unknown>;

/**
 * Checks a trigger as it shall be, without I/O, and gives its config as it is stored: a broker's "host:port" is taken apart.
 * Throws `trigger_config_invalid` (details.field), `trigger_function_missing`, `broker_address_invalid`, `schedule_*`,
 * `timezone_unknown`, `topic_filter_invalid`, `event_filter_unknown`.
 */
export function checkTrigger<T extends TriggerType>(settings: {
  type: T;
  function?: TriggerSettings["function"];
  config: object;
}): TriggerConfigs[T] {
  const { type, function: to } = settings;
  if (!to && !spaceWideTypes.includes(type)) throw new FnbusError("trigger_function_missing");
  if (to && type === "cron")
    throw new FnbusError(
      "trigger_config_invalid",
      "a cron trigger runs the schedules of all functions of its space (options.schedule); for one function use type timer",
      { details: { field: "function" } },
    );
  const config = withAddress(type, settings.config as Json);
  checkSchema(type, config);
  checks[type](config as never, to !== undefined);
  return config as TriggerConfigs[T];
}

/** What functions ask for by themselves (SmartWorks' options). Empty texts ask for nothing. Throws as above. */
export function checkFunctionOptions({ topics, schedule }: FunctionSettings["options"]): void {
  if (topics) within("options.topics", () => parseFilters(topics).forEach(checkFunctionTopic));
  if (schedule) within("options.schedule", () => parseSchedule(schedule, { syntax: "standard" }));
}

/** Words between dots, in which AMQP's # and * stand for whole words; MQTT has no such topics. */
const ROUTING_KEY = /^(?:[^.#*+/]*|#|\*)(?:\.(?:[^.#*+/]*|#|\*))*$/;

/** Functions are found by MQTT topics and by routing keys alike. */
function checkFunctionTopic(topic: string): void {
  if (!ROUTING_KEY.test(topic)) checkFilter(topic);
}

const checks: { [T in TriggerType]: (config: TriggerConfigs[T], hasFunction: boolean) => void } = {
  cron: ({ timezone }) => checkZone(timezone),
  timer({ schedule, syntax = "standard", timezone }) {
    checkZone(timezone);
    within("config.schedule", () =>
      parseSchedule(schedule, { syntax, ...(timezone === undefined ? {} : { timezone }) }),
    );
  },
  mqtt(config) {
    within("config.topics", () => {
      const filters = parseFilters(config.topics);
      if (filters.length === 0) throw wrongConfig("config.topics", "names no topic");
      filters.forEach(checkFilter);
    });
    if (config.protocolVersion === 4 && config.shared)
      throw wrongConfig("config.shared", "needs protocol 5: subscriptions of 3.1.1 cannot be shared");
    if ((config.connections ?? 1) > 1 && (config.protocolVersion === 4 || config.shared === false))
      throw wrongConfig("config.connections", "above 1 needs a shared subscription: each would get every message");
    checkTls(config.tls);
  },
  rabbitmq(config, hasFunction) {
    if (config.form === "functiongraph" && !hasFunction)
      throw new FnbusError("trigger_function_missing", "batches (form functiongraph) go to one function: say which");
    if (!config.exchange && config.queue === undefined)
      throw wrongConfig("config.queue", "or config.exchange must be told");
    if (config.topics && !config.exchange)
      throw wrongConfig("config.exchange", "is missing: routing keys (topics) bind a queue to it");
    checkTls(config.tls);
  },
  kafka({ brokers, tls, sasl }) {
    for (const [at, broker] of brokers.entries()) splitAddress(broker, `config.brokers.${at}`);
    if (sasl && sasl.password === undefined) throw wrongConfig("config.sasl.password", "is missing");
    checkTls(tls);
  },
  obs: ({ events }) => within("config.events", () => checkObsEvents(events)),
  lts: () => undefined,
  cts: ({ operations }) => within("config.operations", () => checkCtsOperations(operations)),
  cloudevents({ types = [], sources = [] }) {
    for (const [field, patterns] of Object.entries({ types, sources }))
      for (const pattern of patterns)
        if (pattern.slice(0, -1).includes("*"))
          throw wrongConfig(`config.${field}`, "may have * at the end only, where it stands for any rest");
  },
};

function checkZone(timezone: string | undefined): void {
  if (timezone !== undefined)
    within("config.timezone", () => parseSchedule("@daily", { syntax: "standard", timezone }));
}

function checkTls(tls: { ca?: string; certificate?: string; key?: string } | undefined): void {
  if (!tls) return;
  for (const field of ["ca", "certificate", "key"] as const)
    if (tls[field] !== undefined && !/^\s*-----BEGIN [A-Z ]+-----/.test(tls[field]))
      throw wrongConfig(`config.tls.${field}`, "is no PEM text");
  if ((tls.certificate === undefined) !== (tls.key === undefined))
    throw wrongConfig(
      tls.key === undefined ? "config.tls.key" : "config.tls.certificate",
      "is missing: they go together",
    );
}

/** `host` may hold the port, as SmartWorks' example does. */
function withAddress(type: TriggerType, config: Json): Json {
  if ((type !== "mqtt" && type !== "rabbitmq") || typeof config.host !== "string") return config;
  const { host, port } = splitAddress(config.host, "config.host");
  if (port !== undefined && config.port !== undefined && config.port !== port)
    throw wrongConfig("config.port", "and config.host name two ports");
  return { ...config, host, ...(port === undefined ? {} : { port }) };
}
