import { homedir } from "node:os";
import { join } from "node:path";
import { readConfig, type Variables } from "@fnbus/config";
import Type, { type Static } from "typebox";
import { natsRelease, releasePlatform } from "./servers/nats-release.ts";

export const LocalConfig = Type.Object({
  FNBUS_HOST: Type.String({ default: "127.0.0.1", description: "address that the gateway listens on" }),
  FNBUS_PORT: Type.Integer({ default: 8080, minimum: 1, maximum: 65_535, description: "port of the gateway" }),
  FNBUS_INGEST_PORT: Type.Integer({
    default: 8081,
    minimum: 0,
    maximum: 65_535,
    description: "port for events over HTTP; where it is taken, another is chosen and shown",
  }),
  FNBUS_DATA_DIR: Type.String({ default: ".fnbus", description: "data folder" }),
  NATS_URL: Type.String({ default: "", description: "NATS servers that run already; empty: find or start one" }),
  NATS_USER: Type.String({ default: "", description: "user at NATS_URL" }),
  NATS_PASSWORD: Type.String({ default: "", description: "password at NATS_URL", secret: true }),
  REDIS_URL: Type.String({
    default: "",
    description: "Redis that runs already; empty: find or start one",
    secret: true,
  }),
  FNBUS_OFFLINE: Type.Boolean({ default: false, description: "never fetch a server program or an image" }),
  FNBUS_CACHE_DIR: Type.String({
    default: "",
    description: "where fetched programs are kept; empty: fnbus in XDG_CACHE_HOME or ~/.cache",
  }),
  FNBUS_NATS_RELEASES: Type.String({
    default: natsRelease.url,
    description: "where the release archives of nats-server are",
  }),
  FNBUS_NATS_SHA256: Type.String({
    default: natsRelease.sha256[releasePlatform(process.platform, process.arch)] ?? "",
    description: "SHA-256 of the release archive",
  }),
  FNBUS_NATS_IMAGE: Type.String({ default: "", description: "Docker image to run instead of the pinned one" }),
  FNBUS_REDIS_IMAGE: Type.String({ default: "", description: "Docker image to run instead of the pinned one" }),
  FNBUS_LOG_LEVEL: Type.String({ default: "info", description: "trace, debug, info, warn, error or silent" }),
  FNBUS_LOG_FORMAT: Type.Union([Type.Literal("text"), Type.Literal("json")], {
    default: "text",
    description: "text for people, json: the services' lines as they are",
  }),
});
export type LocalConfig = Readonly<Static<typeof LocalConfig>>;

/** What `npm start` was told by its environment. Throws ConfigError with all faults. */
export const readLocalConfig = (variables: Variables): LocalConfig => readConfig(LocalConfig, variables);

/** Our own cache of programs. */
export const cacheFolderOf = (config: LocalConfig, variables: Variables): string =>
  config.FNBUS_CACHE_DIR || join(variables.XDG_CACHE_HOME || join(homedir(), ".cache"), "fnbus");

/** Where the newest platform of this user is noted, for a CLI that is called from anywhere. */
export const stateFolderOf = (variables: Variables): string =>
  join(variables.XDG_STATE_HOME || join(homedir(), ".local", "state"), "fnbus");
