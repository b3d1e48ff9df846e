import { LocalConfig } from "../../deploy/local/src/config.ts";
import { Config as ProvisionConfig } from "../../deploy/provision/src/config.ts";
import { ServiceConfig } from "../../libs/service/src/service-config.ts";
import { Config as CallbackConfig } from "../../services/callback-dispatcher/src/config.ts";
import { IngestConfig } from "../../services/event-ingest/src/config.ts";
import { ExecutorConfig } from "../../services/executor/src/config.ts";
import { GatewayConfig } from "../../services/gateway/src/config.ts";
import { LedgerConfig } from "../../services/ledger/src/config.ts";
import { Config as MqttConfig } from "../../services/mqtt-bridge/src/config.ts";
import { SchedulerConfig } from "../../services/scheduler/src/config.ts";

/** Defaults that differ from machine to machine. */
const machineDefaults: Readonly<Record<string, string>> = {
  FNBUS_EXECUTOR_MEMORY_MB: "three quarters",
  FNBUS_EXECUTOR_FOLDER: "`/tmp/fnbus-executor`",
  FNBUS_NATS_SHA256: "pinned for the platform",
};

type Settings = Readonly<Record<string, object>>;

interface Setting {
  default?: unknown;
  description?: string;
  secret?: boolean;
}

function toRow([name, property]: [string, object]): string {
  const { default: value, description = "", secret } = property as Setting;
  const shown = value === undefined ? "*required*" : value === "" ? "" : `\`${value}\``;
  const note = secret ? ` (secret: also as \`${name}_FILE\`)` : "";
  return `| \`${name}\` | ${machineDefaults[name] ?? shown} | ${description.replaceAll("|", "\\|")}${note} |`;
}

/** What every service reads stands once, in its own table. */
function toTable(title: string, properties: Settings, known: Settings = {}): string {
  const own = Object.entries(properties).filter(([name]) => !(name in known));
  const head = ["| variable | default | what it sets |", "| --- | --- | --- |"];
  return [`### ${title}`, "", ...head, ...own.map(toRow)].join("\n");
}

const BEGIN = "<!-- Made by `npm run docs` from each config.ts: from here to the end. -->\n";

/** docs/operations.md with its tables of settings as the services read them. Throws where the page has no place for them. */
export function withSettings(page: string): string {
  const at = page.indexOf(BEGIN);
  if (at < 0) throw new Error("docs/operations.md does not say where its tables of settings begin");
  const tables = [
    toTable("Every service", ServiceConfig),
    toTable("gateway", GatewayConfig.properties, ServiceConfig),
    toTable("ledger", LedgerConfig.properties, ServiceConfig),
    toTable("executor", ExecutorConfig.properties, ServiceConfig),
    toTable("callback-dispatcher", CallbackConfig.properties, ServiceConfig),
    toTable("event-ingest", IngestConfig.properties, ServiceConfig),
    toTable("mqtt-bridge", MqttConfig.properties, ServiceConfig),
    toTable("scheduler", SchedulerConfig.properties, ServiceConfig),
    toTable("provision", ProvisionConfig.properties, ServiceConfig),
    toTable("npm start", LocalConfig.properties),
  ];
  return `${page.slice(0, at + BEGIN.length)}\n${tables.join("\n\n")}\n`;
}
