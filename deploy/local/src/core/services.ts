/** The services of a platform on one machine, in the order in which they are stopped: what takes work in goes first. */
export const serviceNames = [
  "gateway",
  "event-ingest",
  "mqtt-bridge",
  "scheduler",
  "callback-dispatcher",
  "executor",
  "ledger",
] as const;
export type ServiceName = (typeof serviceNames)[number];

/** What every service is told, and what differs. */
export interface ServiceFacts {
  host: string;
  port: number;
  /** Of the listener for events. */
  ingestPort: number;
  opsPort: number;
  dataFolder: string;
  natsUrl: string;
  natsUser: string;
  natsPassword: string;
  redisUrl: string;
  signingSecretFile: string;
  logLevel: string;
}

/** How long a service may take to finish what is in flight when the platform stops. */
export const DRAIN_MS = 8_000;

/** The environment of one service: these and what programs need to run, nothing else of ours (I10). */
export const serviceVariables = (name: ServiceName, facts: ServiceFacts): Record<string, string> => ({
  NODE_ENV: "production",
  NATS_URL: facts.natsUrl,
  NATS_USER: facts.natsUser,
  NATS_PASSWORD: facts.natsPassword,
  FNBUS_OPS_PORT: String(facts.opsPort),
  FNBUS_LOG_LEVEL: facts.logLevel,
  FNBUS_DRAIN_MS: String(DRAIN_MS),
  FNBUS_DATA_DIR: facts.dataFolder,
  ...(name === "gateway" && { FNBUS_HOST: facts.host, FNBUS_PORT: String(facts.port) }),
  ...(name === "event-ingest" && { FNBUS_INGEST_HOST: facts.host, FNBUS_INGEST_PORT: String(facts.ingestPort) }),
  // Brokers are on this machine while one develops.
  ...((name === "gateway" || name === "event-ingest" || name === "mqtt-bridge") && {
    FNBUS_BROKER_ALLOW_LOOPBACK: "true",
  }),
  ...(name === "executor" && { FNBUS_EXECUTOR_FOLDER: facts.dataFolder }),
  ...(name === "callback-dispatcher" && { REDIS_URL: facts.redisUrl }),
  ...((name === "gateway" || name === "callback-dispatcher") && {
    FNBUS_SIGNING_SECRET_FILE: facts.signingSecretFile,
    // The receiver of a callback is on this machine while one develops.
    FNBUS_CALLBACK_ALLOW_LOOPBACK: "true",
  }),
});

/** What a service must not hear from the environment of `npm start`: it is told its own, or has no business with it. */
const keptBack = /^FNBUS_(API_KEY|URL|SIGNING_SECRET.*|ADMIN_KEY.*)$/;

/** The settings of services among the variables of `npm start`. */
export const passedOn = (variables: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && /^(FNBUS|OTEL)_/.test(entry[0]) && !keptBack.test(entry[0]),
    ),
  );

/** The services that `--only` names. Throws for a name that is none. */
export function readOnly(only: string | undefined): ServiceName[] {
  if (!only) return [...serviceNames];
  const wanted = only.split(",").map((name) => name.trim());
  const unknown = wanted.filter((name) => !(serviceNames as readonly string[]).includes(name));
  if (unknown.length > 0)
    throw new Error(`--only: no such service: ${unknown.join(", ")}. There are: ${serviceNames.join(", ")}`);
  return serviceNames.filter((name) => wanted.includes(name));
}
