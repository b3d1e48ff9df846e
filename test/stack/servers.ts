import type { StackOptions } from "./stack.ts";

/** Durable settings of both servers, as production has them (ARCHITECTURE: settings that the invariants need). */
export const natsConfig = (listen: string, storeDir: string, { durable = true }: StackOptions = {}): string => `
listen: "${listen}"
max_payload: 8MB
jetstream { store_dir: "${storeDir}", max_file_store: 16GB, sync_interval: ${durable ? "always" : "2m"} }
authorization { user: "${NATS_USER}", password: "${NATS_PASSWORD}" }
`;

/** As `npm start` runs it (deploy/local). */
export const natsEnvironment = { GOGC: "200" };

export const redisArguments = (port: number, directory: string, { durable = true }: StackOptions = {}): string[] => [
  ...["--port", String(port), "--dir", directory, "--requirepass", REDIS_PASSWORD, "--save", ""],
  ...[
    "--appendonly",
    "yes",
    "--appendfsync",
    durable ? "always" : "no",
    "--maxmemory-policy",
    "noeviction",
    "--protected-mode",
    "no",
  ],
];

/** Of throw-away servers that listen for the length of a journey. */
export const NATS_USER = "platform";
export const NATS_PASSWORD = "journey-nats";
export const REDIS_PASSWORD = "journey-redis";
export const SIGNING_SECRET = "journey-signing-secret-0123456789";

/** Sizes that a journey's streams get. */
export const provisionSettings = (options: StackOptions): Record<string, string> =>
  options.invocationsBytes === undefined ? {} : { FNBUS_SIZE_INVOCATIONS: String(options.invocationsBytes) };
/** Form of an admin key (libs/contract/src/access.ts); of a throw-away platform. */
export const ADMIN_KEY = "fnb_00000000-0000-7000-8000-000000000001_journey-journey-journey-journey-journey-jou";
