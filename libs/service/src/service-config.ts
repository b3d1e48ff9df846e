import Type from "typebox";

/** Variables that every service reads. A service's own schema spreads these properties. */
export const ServiceConfig = {
  NATS_URL: Type.String({ default: "nats://127.0.0.1:4222", description: "NATS servers, comma-separated" }),
  NATS_USER: Type.String({ default: "", description: "NATS user" }),
  NATS_PASSWORD: Type.String({ default: "", description: "NATS password", secret: true }),
  FNBUS_OPS_HOST: Type.String({ default: "127.0.0.1", description: "address of /health, /ready and /metrics" }),
  FNBUS_OPS_PORT: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 65_535,
    description: "port of /health, /ready and /metrics; 0: any free one, told on the log",
  }),
  FNBUS_LOG_LEVEL: Type.String({ default: "info", description: "trace, debug, info, warn, error or silent" }),
  FNBUS_DRAIN_MS: Type.Integer({
    default: 25_000,
    minimum: 0,
    maximum: 600_000,
    description: "time to finish what is in flight when stopping",
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.String({ default: "", description: "where traces go; empty: tracing off" }),
  FNBUS_TRACE_RATIO: Type.Number({
    default: 0.05,
    minimum: 0,
    maximum: 1,
    description: "share of traces that are sampled",
  }),
};
