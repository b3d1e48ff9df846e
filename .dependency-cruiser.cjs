// Which folder may import which (docs/adr and CONTRIBUTING.md say why). test/rules/arrows.test.ts plants a violation of
// every rule. TypeScript 7 has no compiler interface, hence the swc parser.
const pureBuiltins = "^(node:|)(assert|buffer|crypto|path|querystring|string_decoder|url|util|zlib)($|/)";
const inside = (folder) => `^services/([^/]+)/src/${folder}/`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-cycle",
      comment: "Modules that need each other are one module, or lack a third.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "resolvable",
      comment: "An import that leads nowhere.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "service-imports-service",
      comment: "Services meet on the bus. What two need goes to libs.",
      severity: "error",
      from: { path: "^services/([^/]+)/" },
      to: { path: "^services/", pathNot: "^services/$1/" },
    },
    {
      name: "lib-imports-service",
      comment: "Libraries know nothing of who uses them.",
      severity: "error",
      from: { path: "^libs/" },
      to: { path: "^(services|deploy|test|examples)/" },
    },
    {
      name: "contract-is-first",
      comment: "The contract is the language: it imports nothing of ours.",
      severity: "error",
      from: { path: "^libs/contract/src/" },
      to: { path: "^libs/", pathNot: "^libs/contract/" },
    },
    {
      name: "core-does-no-io",
      comment: "core/ is values in, values out: no file, network, process, timer or bus.",
      severity: "error",
      from: { path: inside("core") },
      to: { dependencyTypes: ["core"], pathNot: pureBuiltins },
    },
    {
      name: "core-knows-no-shell",
      comment: "core/ imports no library that does I/O, and nothing of its service's shell.",
      severity: "error",
      from: { path: inside("core") },
      to: {
        path: [
          "^libs/(bus|client|config|service|telemetry|testing)/",
          "^services/$1/src/(?!core/)",
          "/node_modules/(undici|bullmq|ioredis|mqtt|rabbitmq-client|amqplib|@platformatic|fastify|@fastify|@nats-io|pino)/",
          "^node_modules/(undici|bullmq|ioredis|mqtt|rabbitmq-client|amqplib|@platformatic|fastify|@fastify|@nats-io|pino)/",
        ],
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "in-meets-out-in-app",
      comment: "Doors in and doors out meet in app.ts alone.",
      severity: "error",
      from: { path: inside("in") },
      to: { path: "^services/$1/src/out/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "out-meets-in-in-app",
      comment: "Doors in and doors out meet in app.ts alone.",
      severity: "error",
      from: { path: inside("out") },
      to: { path: "^services/$1/src/in/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "bullmq-in-callback-dispatcher",
      comment: "Redis is a timer of callbacks, never the truth. (test/load measures it raw.)",
      severity: "error",
      from: { pathNot: "^(services/callback-dispatcher|test/load)/" },
      to: { path: "node_modules/(bullmq|ioredis)/" },
    },
    {
      name: "nats-in-bus",
      comment: "libs/bus alone knows the client library of NATS.",
      severity: "error",
      from: { pathNot: "^libs/bus/" },
      to: { path: "node_modules/@nats-io/" },
    },
    {
      name: "mqtt-in-mqtt-bridge",
      comment: "mqtt-bridge alone knows MQTT.",
      severity: "error",
      from: { pathNot: "^(services/mqtt-bridge|test/stack)/" },
      to: { path: "node_modules/mqtt/" },
    },
    {
      name: "queues-in-event-ingest",
      comment: "event-ingest alone knows Kafka and RabbitMQ.",
      severity: "error",
      from: { pathNot: "^(services/event-ingest|test/stack)/" },
      to: { path: "node_modules/(@platformatic/kafka|rabbitmq-client|amqplib)/" },
    },
    {
      name: "testing-in-tests",
      comment: "What tests need never gets into what runs.",
      severity: "error",
      from: { path: "^(libs|services|deploy)/[^/]+/(src|runtime)/", pathNot: "^libs/testing/" },
      to: { path: "^libs/testing/" },
    },
  ],
  options: {
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};
