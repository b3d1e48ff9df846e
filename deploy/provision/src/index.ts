export { type ProvisionOptions, provisionPlatform } from "./provision-platform.ts";
