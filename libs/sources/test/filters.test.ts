import type { FnbusError } from "@fnbus/contract";
import { describe, expect, it } from "vitest";
import { checkCtsOperations, takesAudit } from "../src/audit-operations.ts";
import { checkObsEvents } from "../src/object-events.ts";

const faultOf = (act: () => unknown): [string, unknown] => {
  try {
    act();
  } catch (error) {
    return [(error as FnbusError).code, (error as FnbusError).details?.event];
  }
  return ["nothing", undefined];
};

const created = [
  "ObjectCreated:Put",
  "ObjectCreated:Post",
  "ObjectCreated:Copy",
  "ObjectCreated:CompleteMultipartUpload",
];
const removed = ["ObjectRemoved:Delete", "ObjectRemoved:DeleteMarkerCreated"];

describe("object events of a trigger", () => {
  it.each([
    ["ObjectCreated", created],
    ["ObjectCreated:*", created],
    ["s3:ObjectCreated:*", created],
    ["s3:ObjectCreated", created],
    ["s3:ObjectRemoved:*", removed],
    ["ObjectRemoved", removed],
    ["Put", ["ObjectCreated:Put"]],
    ["ObjectCreated:Put", ["ObjectCreated:Put"]],
    ["s3:ObjectCreated:CompleteMultipartUpload", ["ObjectCreated:CompleteMultipartUpload"]],
    ["Delete", ["ObjectRemoved:Delete"]],
    ["DeleteMarkerCreated", ["ObjectRemoved:DeleteMarkerCreated"]],
  ])("%s stands for what the table says", (event, names) => {
    expect([...checkObsEvents([event])]).toEqual(names);
  });

  it.each([
    "",
    "put",
    "s3:",
    "s3:*",
    "*",
    "ObjectCreated:Delete",
    "ObjectAccessed:Get",
    "s3:ObjectCreated:*:x",
    "Put:*",
    "toString",
    "constructor:*",
  ])("%j is no object event", (event) => {
    expect(faultOf(() => checkObsEvents(["Put", event]))).toEqual(["event_filter_unknown", event]);
  });
});

describe("operations of an audit trigger", () => {
  const operations = checkCtsOperations(["ECS:ecs;server:restartServer;deleteServer", "vpc:*:*"]);

  it.each([
    ["ecs", "server", "restartServer", true],
    ["ECS", "ECS", "deleteServer", true],
    ["ecs", "server", "createServer", false],
    ["ecs", "disk", "deleteServer", false],
    ["evs", "server", "deleteServer", false],
    ["VPC", "subnet", "anything", true],
    ["ecs", "server", "restartserver", false],
  ])("%s, %s, %s: %s", (service, resourceType, operation, taken) => {
    expect(takesAudit(operations, { service, resourceType, operation })).toBe(taken);
  });

  it.each(["", "ECS", "ECS:ecs", "ECS:ecs:", "ECS::x", "ECS:a:b:c", "ECS;EVS:a:b", "ECS:a b:c", "ECS:a;:c"])(
    "%j is not service:resource types:operations",
    (text) => {
      expect(faultOf(() => checkCtsOperations([text]))).toEqual(["event_filter_unknown", text]);
    },
  );
});
