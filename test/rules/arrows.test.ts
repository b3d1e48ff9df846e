import { join } from "node:path";
import { expect, it } from "vitest";
import { repository, runPlanted } from "./planted.ts";

/** One violation of every rule of .dependency-cruiser.cjs: rule, the file that breaks it, and what it imports. */
const violations: [rule: string, file: string, imports: string][] = [
  ["no-cycle", "libs/one/src/a.ts", "./b.ts"],
  ["resolvable", "libs/one/src/lost.ts", "./nowhere.ts"],
  ["service-imports-service", "services/gateway/src/app.ts", "../../ledger/src/app.ts"],
  ["lib-imports-service", "libs/one/src/up.ts", "../../../services/ledger/src/app.ts"],
  ["contract-is-first", "libs/contract/src/index.ts", "../../one/src/plain.ts"],
  ["core-does-no-io", "services/gateway/src/core/file.ts", "node:fs/promises"],
  ["core-knows-no-shell", "services/gateway/src/core/bus.ts", "../../../../libs/bus/src/index.ts"],
  ["core-knows-no-shell", "services/gateway/src/core/http.ts", "undici"],
  ["core-knows-no-shell", "services/gateway/src/core/door.ts", "../out/calls.ts"],
  ["in-meets-out-in-app", "services/gateway/src/in/route.ts", "../out/calls.ts"],
  ["out-meets-in-in-app", "services/gateway/src/out/answer.ts", "../in/plain.ts"],
  ["bullmq-in-callback-dispatcher", "services/gateway/src/out/queue.ts", "bullmq"],
  ["nats-in-bus", "services/gateway/src/out/nats.ts", "@nats-io/jetstream"],
  ["mqtt-in-mqtt-bridge", "services/gateway/src/in/topic.ts", "mqtt"],
  ["queues-in-event-ingest", "services/gateway/src/in/records.ts", "rabbitmq-client"],
  ["testing-in-tests", "services/gateway/src/out/fake.ts", "../../../../libs/testing/src/index.ts"],
];

const plain = "export const plain = 1;\n";
const allowed: Record<string, string> = {
  "libs/one/src/b.ts": 'import "./a.ts";\n',
  "libs/one/src/plain.ts": plain,
  "libs/bus/src/index.ts": plain,
  "libs/testing/src/index.ts": plain,
  "services/ledger/src/app.ts": plain,
  "services/gateway/src/out/calls.ts": plain,
  "services/gateway/src/in/plain.ts": plain,
  "services/gateway/src/core/pure.ts": 'import "node:crypto";\n',
  "services/gateway/src/main.ts": 'import "./in/plain.ts";\nimport "./out/calls.ts";\n',
  "services/callback-dispatcher/src/out/queue.ts": 'import "bullmq";\n',
};
const packages = ["undici", "bullmq", "mqtt", "rabbitmq-client", "@nats-io/jetstream"].flatMap((name) => [
  [`node_modules/${name}/package.json`, JSON.stringify({ name, version: "1.0.0", main: "index.js" })],
  [`node_modules/${name}/index.js`, ""],
]);

it("every rule of the arrows finds the violation planted for it, and nothing else is one", async () => {
  const planted = Object.fromEntries(violations.map(([, file, imports]) => [file, `import "${imports}";\n`]));
  const { output } = await runPlanted({ ...allowed, ...Object.fromEntries(packages), ...planted }, "depcruise", [
    ...["--config", join(repository, ".dependency-cruiser.cjs"), "--output-type", "json", "libs", "services"],
  ]);
  const found = (JSON.parse(output).summary.violations as { rule: { name: string }; from: string }[]).map(
    ({ rule, from }) => `${rule.name} ${from}`,
  );
  const expected = violations.map(([rule, file]) => `${rule} ${file}`);
  expect(new Set(found.filter((one) => !one.startsWith("no-cycle")))).toEqual(
    new Set(expected.filter((one) => !one.startsWith("no-cycle"))),
  );
  expect(found.some((one) => one.startsWith("no-cycle"))).toBe(true);
});
