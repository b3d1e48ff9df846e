"""The second argument of an event handler (wire-compatibility.md 4.1)."""

import json
import sys
import time

LEVELS = ("DEBUG", "INFO", "WARN", "ERROR")


class Logger:
    def __init__(self, request_id):
        self._request_id = request_id
        self._least = 1

    def _write(self, level, parts):
        if LEVELS.index(level) < self._least:
            return
        text = " ".join(part if isinstance(part, str) else json.dumps(part, default=str) for part in parts)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        sys.stdout.write("%s %s %s %s\n" % (stamp, self._request_id, level, text))

    def debug(self, *parts):
        self._write("DEBUG", parts)

    def info(self, *parts):
        self._write("INFO", parts)

    def warn(self, *parts):
        self._write("WARN", parts)

    warning = warn

    def error(self, *parts):
        self._write("ERROR", parts)

    def setLevel(self, level):
        if level in LEVELS:
            self._least = LEVELS.index(level)


class Context:
    """One a call: with several calls in an instance, context and logger are the call's own."""

    def __init__(self, settings, meta):
        self._settings = settings
        self._function = settings["function"]
        self._meta = meta
        self._started = time.monotonic()
        self._logger = None
        self.invokeID = self.requestId = meta.get("id", "")
        self.traceID = meta.get("traceparent", "")
        self.instanceID = settings.get("instance", "")
        self.state = ""

    def getRequestID(self):
        return self.requestId

    def getRemainingTimeInMilliSeconds(self):
        spent = (time.monotonic() - self._started) * 1000
        return max(0, round(self._settings["timeoutMs"] - spent))

    def getUserData(self, key, default=None):
        return self._settings["userData"].get(key, default)

    def getFunctionName(self):
        return self._function["name"]

    def getRunningTimeInSeconds(self):
        return self._settings["timeoutMs"] / 1000

    def getVersion(self):
        return self._function["version"]

    def getAlias(self):
        return self._meta.get("qualifier", "")

    def getMemorySize(self):
        return self._function["memoryMb"]

    def getCPUNumber(self):
        return self._function["cpu"]

    def getPackage(self):
        return self._function["package"]

    def getProjectID(self):
        return self._function["projectId"]

    def _nothing(self):
        return ""

    getToken = getAccessKey = getSecretKey = getSecurityAccessKey = getSecuritySecretKey = getSecurityToken = _nothing
    getWorkflowID = getWorkflowRunID = getWorkflowStateID = _nothing

    def getLogger(self):
        if self._logger is None:
            self._logger = Logger(self.requestId)
        return self._logger
