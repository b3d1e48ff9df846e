import { homedir } from "node:os";
import type { Variables } from "@fnbus/config";
import { cacheFolderOf, readLocalConfig } from "../config.ts";
import { examineMachine } from "./machine.ts";
import { examinePlatform } from "./platform.ts";
import { examineServers } from "./servers.ts";

/** One thing that was looked at. `degraded`: it works, and `text` says what is lost. */
export interface Check {
  name: string;
  state: "ok" | "degraded" | "failed";
  text: string;
  fix?: string;
}

/** What this machine offers the platform, and how a running one is. `ok`: nothing failed. */
export async function examine(
  variables: Variables,
  platform: { url: string; from: string },
): Promise<{ checks: Check[]; ok: boolean }> {
  const config = readLocalConfig(variables);
  const [servers, machine, running] = await Promise.all([
    examineServers(config, variables),
    examineMachine(config.FNBUS_DATA_DIR, cacheFolderOf(config, variables), homedir()),
    examinePlatform(platform, config),
  ]);
  const checks = [...servers, ...machine, ...running];
  return { checks, ok: checks.every(({ state }) => state !== "failed") };
}
