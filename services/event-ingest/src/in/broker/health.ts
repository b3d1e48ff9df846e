import type { ErrorCode } from "@fnbus/contract";
import type { SourceStatus } from "@fnbus/sources";
import type { BrokerFault } from "../../core/broker-faults.ts";

/** What stands between a source and its running: each part says its own, the first of them is shown. */
export type HealthPart = "connection" | "function";

export interface Health {
  failed(part: HealthPart, fault: BrokerFault): void;
  well(part: HealthPart): void;
  trouble(code: ErrorCode, message: string): void;
}

/** The trigger's state out of its parts': Running where all are well. */
export function createHealth(status: SourceStatus): Health {
  const faults = new Map<HealthPart, BrokerFault>();
  let isConnected = false;
  const tell = () => {
    const fault = faults.get("function") ?? faults.get("connection");
    if (fault) status.failed(fault.code, fault.message);
    else if (isConnected) status.running();
  };
  return {
    failed(part, fault) {
      if (part === "connection") isConnected = false;
      faults.set(part, fault);
      tell();
    },
    well(part) {
      if (part === "connection") isConnected = true;
      faults.delete(part);
      tell();
    },
    trouble: (code, message) => status.trouble(code, message),
  };
}
