import { createHash } from "node:crypto";
import { type FunctionDefinition, limits } from "@fnbus/contract";

/** CPU that a function is told it has, by its memory: one core for each 1769 MB, at least a tenth, as FunctionGraph does. */
const MB_PER_CPU = 1769;

/** The JSON of a runner's *load* frame (runtime/PROTOCOL.md). */
export function toLoadSettings(definition: FunctionDefinition, codeRoot: string, instance: string, check = false) {
  const { settings } = definition;
  const cpu = Math.max(0.1, Math.round((settings.memoryMb / MB_PER_CPU) * 100) / 100);
  const version = definition.code ? String(definition.code.number) : "latest";
  return {
    codeRoot,
    instance,
    check,
    style: settings.style,
    handler: settings.handler,
    initializer: settings.initializer,
    timeoutMs: settings.timeoutMs,
    initializerTimeoutMs: settings.initializerTimeoutMs,
    perInstance: settings.concurrency.perInstance,
    userData: settings.environment,
    function: {
      name: definition.name,
      package: definition.space,
      version,
      projectId: definition.space,
      memoryMb: settings.memoryMb,
      cpu,
    },
    environment: {
      ...settings.environment,
      RUNTIME_PROJECT_ID: definition.space,
      RUNTIME_PACKAGE: definition.space,
      RUNTIME_FUNC_NAME: definition.name,
      RUNTIME_FUNC_VERSION: version,
      RUNTIME_HANDLER: settings.handler,
      RUNTIME_TIMEOUT: String(settings.timeoutMs / 1000),
      RUNTIME_INITIALIZER_HANDLER: settings.initializer,
      RUNTIME_INITIALIZER_TIMEOUT: String(settings.initializerTimeoutMs / 1000),
      RUNTIME_USERDATA: JSON.stringify(settings.environment),
      RUNTIME_CPU: String(cpu),
      RUNTIME_MEMORY: String(settings.memoryMb),
      RUNTIME_MAX_RESP_BODY_SIZE: String(limits.responseBodyBytes),
      RUNTIME_CODE_ROOT: codeRoot,
      RUNTIME_LOG_DIR: "/tmp",
    },
  };
}

/** Same fingerprint: the same process would be started, so a change of description keeps warm instances warm. */
export function toFingerprint(definition: FunctionDefinition): string {
  const { runtime, network, isolation, concurrency } = definition.settings;
  const started = [
    toLoadSettings(definition, "", ""),
    definition.code?.object,
    runtime,
    network,
    isolation,
    concurrency,
  ];
  return createHash("sha256").update(JSON.stringify(started)).digest("hex").slice(0, 32);
}
