export { connectTestBus } from "./bus.ts";
export { type Child, startChild } from "./child.ts";
export { findBinaries, findBinary } from "./find-binary.ts";
export { freePorts } from "./free-port.ts";
export { type Mosquitto, type MosquittoOptions, startMosquitto } from "./mosquitto.ts";
export { type NatsCluster, type NatsOptions, type NatsServer, startNats, startNatsCluster } from "./nats.ts";
export { type RedisOptions, type RedisServer, startRedis } from "./redis.ts";
export { assertSilence, type Silence } from "./silence.ts";
export { until } from "./until.ts";
