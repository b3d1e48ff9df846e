import type { Command, Group } from "./command.ts";
import { deploy } from "./in/deploy.ts";
import { dev } from "./in/dev.ts";
import { doctor } from "./in/doctor.ts";
import { invocations } from "./in/invocations.ts";
import { invoke } from "./in/invoke.ts";
import { logs } from "./in/logs.ts";
import { functions, keys, spaces } from "./in/resources.ts";
import { triggers } from "./in/triggers.ts";

export const commands: Record<string, Command | Group> = {
  deploy,
  invoke,
  invocations,
  logs,
  functions,
  triggers,
  spaces,
  keys,
  dev,
  doctor,
};
