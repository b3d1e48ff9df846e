export { ConfigError, readConfig, type Variables } from "./read-config.ts";
