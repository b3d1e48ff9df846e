export interface RedisConfigFacts {
  host: string;
  port: number;
  folder: string;
  password: string;
}

/** The configuration file of our own Redis: every write on disk before its answer, nothing ever evicted. */
export const toRedisConfig = ({ host, port, folder, password }: RedisConfigFacts): string => `bind ${host}
port ${port}
protected-mode yes
requirepass ${password}
dir ${JSON.stringify(folder)}
daemonize no
databases 1
appendonly yes
appendfsync always
save ""
maxmemory-policy noeviction
`;
