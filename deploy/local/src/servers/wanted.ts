/** What we look for, of each of the two servers that the platform stands on. */
export interface WantedServer {
  kind: "nats" | "redis";
  title: string;
  /** Names of the program, best first. */
  commands: readonly string[];
  /** Older ones are refused. */
  minimum: string;
  /** Older ones are used where nothing better is here; `degraded` says what is lost. */
  preferred: string;
  degraded: string;
  /** Debian packages that hold the program, and libraries that it may miss. */
  debian: { packages: readonly string[]; libraries: readonly string[] };
  image: string;
  homebrew: string;
}

export const wantedNats: WantedServer = {
  kind: "nats",
  title: "NATS server",
  commands: ["nats-server"],
  minimum: "2.9.10",
  preferred: "2.10.0",
  degraded:
    "it cannot fsync before it acknowledges: a loss of power may lose what was accepted in the last two minutes",
  debian: { packages: ["nats-server"], libraries: [] },
  image: "nats:2.15.0-alpine",
  homebrew: "nats-server",
};

export const wantedRedis: WantedServer = {
  kind: "redis",
  title: "Redis server",
  commands: ["redis-server", "valkey-server"],
  minimum: "6.2.0",
  preferred: "6.2.0",
  degraded: "",
  // The program itself is in redis-tools; redis-server holds a link to it by its name.
  debian: { packages: ["redis-tools", "redis-server"], libraries: ["libjemalloc2", "liblzf1", "libatomic1"] },
  image: "valkey/valkey:8.1-alpine",
  homebrew: "redis",
};
