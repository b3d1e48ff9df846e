/** The second argument of an event handler (wire-compatibility.md 4.1). */
const LEVELS = ["DEBUG", "INFO", "WARN", "ERROR"];
const PRECISION = /\.\d{3}Z$/;

function createLogger(requestId) {
  let least = 1;
  const at =
    (level) =>
    (...parts) => {
      if (LEVELS.indexOf(level) < least) return;
      const text = parts.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(" ");
      process.stdout.write(`${new Date().toISOString().replace(PRECISION, "Z")} ${requestId} ${level} ${text}\n`);
    };
  return {
    debug: at("DEBUG"),
    info: at("INFO"),
    warn: at("WARN"),
    error: at("ERROR"),
    setLevel: (level) => {
      const index = LEVELS.indexOf(level);
      if (index >= 0) least = index;
    },
  };
}

/** One a call: with several calls in an instance, context and logger are the call's own. */
export function createContext(settings, meta, startedAt) {
  const { function: fn, userData, timeoutMs } = settings;
  let logger;
  return {
    invokeID: meta.id,
    requestId: meta.id,
    traceID: meta.traceparent ?? "",
    instanceID: settings.instance,
    state: "",
    getRequestID: () => meta.id,
    getRemainingTimeInMilliSeconds: () => Math.max(0, Math.round(timeoutMs + startedAt - performance.now())),
    getUserData: (key) => userData[key],
    getFunctionName: () => fn.name,
    getRunningTimeInSeconds: () => timeoutMs / 1000,
    getVersion: () => fn.version,
    getAlias: () => meta.qualifier ?? "",
    getMemorySize: () => fn.memoryMb,
    getCPUNumber: () => fn.cpu,
    getPackage: () => fn.package,
    getProjectID: () => fn.projectId,
    getToken: () => "",
    getAccessKey: () => "",
    getSecretKey: () => "",
    getSecurityAccessKey: () => "",
    getSecuritySecretKey: () => "",
    getSecurityToken: () => "",
    getWorkflowID: () => "",
    getWorkflowRunID: () => "",
    getWorkflowStateID: () => "",
    getLogger: () => {
      logger ??= createLogger(meta.id);
      return logger;
    },
  };
}
