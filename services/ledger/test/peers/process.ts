import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Child, freePorts, startChild, until } from "@fnbus/testing";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** A ledger as a process of its own, to be killed. */
export interface LedgerProcess extends Child {
  /** What /health says of its one partition. */
  /** Of /health and /metrics. */
  url: string;
  health(): Promise<{ role: string; phase: string; epoch: number }>;
}

export async function startLedgerProcess(url: string, variables: Record<string, string> = {}): Promise<LedgerProcess> {
  const [port] = await freePorts(1);
  const settings = { NATS_URL: url, FNBUS_OPS_PORT: String(port), FNBUS_LOG_LEVEL: "warn", ...variables };
  const assignments = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const child = await startChild("/usr/bin/env", [...assignments, process.execPath, main]);
  const health = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/health`);
    const { partitions } = (await answer.json()) as { partitions?: { role: string; phase: string; epoch: number }[] };
    if (!partitions?.[0]) throw new Error("starting");
    return partitions[0];
  };
  await until(`the ledger is up:\n${child.output()}`, () => health().then(Boolean, () => false), 20_000);
  return { ...child, health, url: `http://127.0.0.1:${port}` };
}

/** Runs a program of the ledger's main file to its end; its output. */
export const runLedgerCommand = (url: string, command: string, variables: Record<string, string>): string =>
  execFileSync(process.execPath, [main, command], {
    env: { NATS_URL: url, FNBUS_LOG_LEVEL: "warn", ...variables },
    encoding: "utf8",
  });
