import { FnbusError } from "@fnbus/contract";

/** Audit records that a trigger takes: those of a service, of these types of resources, and named so. */
export interface AuditOperation {
  /** In lower case, as are the types of resources: services write them both ways ("ECS", "ecs"). */
  service: string;
  resourceTypes: ReadonlySet<string>;
  operations: ReadonlySet<string>;
}

/** One part of an audit record's classification. */
export interface AuditSubject {
  service: string;
  resourceType: string;
  operation: string;
}

const EXAMPLE = "ECS:ecs;server:restartServer;deleteServer";
const word = /^(?:[\w.-]{1,128}|\*)$/;

function toOperation(text: string): AuditOperation {
  const parts = text.split(":").map((part) => part.split(";").map((one) => one.trim()));
  const [services = [], resourceTypes = [], operations = []] = parts;
  if (parts.length !== 3 || services.length !== 1 || !parts.flat().every((one) => word.test(one)))
    throw new FnbusError("event_filter_unknown", `${JSON.stringify(text)} is not service:resource types:operations`, {
      details: { field: "operations", event: text, example: EXAMPLE },
    });
  return {
    service: services[0]!.toLowerCase(),
    resourceTypes: new Set(resourceTypes.map((one) => one.toLowerCase())),
    operations: new Set(operations),
  };
}

/** Reads "service:resource types:operations" (wire-compatibility.md 5.5); * stands for all. Throws `event_filter_unknown`. */
export const checkCtsOperations = (operations: readonly string[]): AuditOperation[] => operations.map(toOperation);

/** Whether one of the operations takes a record. */
export const takesAudit = (operations: readonly AuditOperation[], subject: AuditSubject): boolean =>
  operations.some(
    (one) =>
      (one.service === "*" || one.service === subject.service.toLowerCase()) &&
      (one.resourceTypes.has("*") || one.resourceTypes.has(subject.resourceType.toLowerCase())) &&
      (one.operations.has("*") || one.operations.has(subject.operation)),
  );
