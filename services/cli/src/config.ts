import { homedir } from "node:os";
import { join } from "node:path";

export type Variables = Readonly<Record<string, string | undefined>>;

/** What the environment tells the command line. */
export interface CliConfig {
  url: string | undefined;
  apiKey: string | undefined;
  space: string;
  dataFolder: string | undefined;
  /** Where `npm start` notes the data folder of the newest platform. */
  stateFolder: string;
  colours: boolean;
}

export const readCliConfig = (variables: Variables): CliConfig => ({
  url: variables.FNBUS_URL || undefined,
  apiKey: variables.FNBUS_API_KEY || undefined,
  space: variables.FNBUS_SPACE || "default",
  dataFolder: variables.FNBUS_DATA_DIR || undefined,
  stateFolder: join(variables.XDG_STATE_HOME || join(homedir(), ".local", "state"), "fnbus"),
  colours: !variables.NO_COLOR && variables.TERM !== "dumb",
});
