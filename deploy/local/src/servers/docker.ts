import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { readVersion } from "../core/versions.ts";
import { lastLine } from "./fetch-with-go.ts";
import type { FindStep } from "./found.ts";
import { findProgram } from "./programs.ts";

const run = promisify(execFile);
/** An engine that is there answers at once; one that does not would hold up the start. */
const ANSWER_MS = 3_000;
const PULL_MS = 5 * 60_000;
const RUN_MS = 60_000;

/** A Docker engine that answers. The image is pulled when it is not there. */
export const withDocker: FindStep = {
  name: "Docker engine",
  async find(wanted, context) {
    const docker = await findProgram("docker", context.toolFolders);
    if (!docker) return "no docker on PATH";
    const ask = (args: string[], timeout: number) =>
      run(docker, args, { timeout, env: context.env as NodeJS.ProcessEnv });
    try {
      await ask(["version", "--format", "{{.Server.Version}}"], ANSWER_MS);
    } catch (error) {
      return `no engine answers: ${lastLine(error)}`;
    }
    const image = context.images[wanted.kind] ?? wanted.image;
    const present = await ask(["image", "inspect", image], ANSWER_MS).then(
      () => true,
      () => false,
    );
    if (!present && context.offline) return `the image ${image} is not here, and FNBUS_OFFLINE is set`;
    try {
      if (!present) {
        context.progress(`${wanted.title}: none found, pulling ${image} (once)`);
        await ask(["pull", image], PULL_MS);
      }
    } catch (error) {
      return `${image}: ${lastLine(error)}`;
    }
    // An image of one's own may hold the other program of the two.
    const reasons: string[] = [];
    for (const command of wanted.commands) {
      try {
        const { stdout } = await ask(["run", "--rm", "--entrypoint", command, image, "--version"], RUN_MS);
        return { how: "image", image, command, version: readVersion(stdout) ?? wanted.minimum, docker, from: "Docker" };
      } catch (error) {
        reasons.push(`${command}: ${lastLine(error)}`);
      }
    }
    return `${image}: ${reasons.join("; ")}`;
  },
};
