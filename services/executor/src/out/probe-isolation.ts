import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Isolation, type LaunchPaths, toLaunch } from "../core/launch.ts";

const run = promisify(execFile);
const PROBE_MS = 5_000;
/** Proves what a runner needs: its runtime and its folder can be read. */
const PROGRAM = "require('node:fs').accessSync(process.argv[1])";

/**
 * The strongest isolation that works here, tried out with a real start: sandbox before plain process, and a user
 * without rights before our own. Without `sandbox` none is tried. `reasons` says why a stronger one does not.
 */
export async function probeIsolation(
  paths: LaunchPaths,
  home: string,
  sandbox: boolean,
): Promise<{ isolation: Isolation; reasons: string[] }> {
  const root = process.getuid?.() === 0;
  const users = root ? (["nobody", "own"] as const) : (["own"] as const);
  const candidates: Isolation[] = [
    // bubblewrap before 0.8 cannot seal.
    ...(sandbox
      ? users.flatMap((user) => [
          { level: "sandbox", user, sealed: true } as const,
          { level: "sandbox", user } as const,
        ])
      : []),
    ...(root ? [{ level: "process", user: "nobody" } as const] : []),
  ];
  const reasons: string[] = [];
  for (const isolation of candidates) {
    const launch = toLaunch(isolation, paths, { runtime: "nodejs", network: true, home, groups: [] });
    const runner = launch.args.at(-1)!;
    try {
      await run(launch.command, [...launch.args.slice(0, -1), "-e", PROGRAM, runner], {
        env: launch.env,
        timeout: PROBE_MS,
      });
      return { isolation, reasons };
    } catch (error) {
      const { stderr, message } = error as Error & { stderr?: string };
      reasons.push(
        `${isolation.sealed ? "sealed " : ""}${isolation.level} as ${isolation.user}: ${(stderr || message).trim().split("\n")[0]}`,
      );
    }
  }
  return { isolation: { level: "process", user: "own" }, reasons };
}
