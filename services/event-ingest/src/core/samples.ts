import type { CloudEventsConfig, CtsConfig, LtsConfig, ObsConfig } from "@fnbus/contract";
import { checkCtsOperations, checkObsEvents } from "@fnbus/sources";
import type { HttpTrigger } from "./read-delivery.ts";

/** An event as the trigger's source would send it, of what the trigger takes (functiongraph-event-sources.txt). */
export function toSample(trigger: HttpTrigger): unknown {
  switch (trigger.type) {
    case "obs":
      return toObsSample(trigger.config);
    case "lts":
      return toLtsSample(trigger.config);
    case "cts":
      return toCtsSample(trigger.config);
    case "cloudevents":
      return toCloudEventSample(trigger.config);
  }
}

const toObsSample = ({ bucket, events, prefix = "", suffix = ".png" }: ObsConfig) => ({
  Records: [
    {
      eventVersion: "2.0",
      eventTime: "2018-01-09T07:50:50.028Z",
      requestParameters: { sourceIPAddress: "103.218.216.125" },
      s3: {
        configurationId: "UK1DGFPYUKUZFHNQ00000160CC0B471D101ED30CE24DF4DB",
        object: {
          eTag: "9d377b10ce778c4938b3c7e2c63a229a",
          sequencer: "00000000160D9E681484D6B4C0000000",
          key: encodeURIComponent(`${prefix}job${suffix}`).replaceAll("%2F", "/"),
          size: 777835,
        },
        bucket: { name: bucket, ownerIdentity: { PrincipalId: "0ed1b73473f24134a478962e631651eb" } },
      },
      Region: "region",
      eventName: [...checkObsEvents(events)][0],
      userIdentity: { principalId: "9bf43789b1ff4b679040f35cc4f0dc05" },
    },
  ],
});

const toLtsSample = ({ logGroupId, logTopicId }: LtsConfig) => ({
  logs: [
    {
      message: "2018-08-08/08:08:08 [WRN] [test.go:08]This is a test message.",
      time: 1530009653059,
      host_name: "ecs-test",
      ip: "192.168.1.1",
      path: "var/log/test.log",
      log_uid: "663d6930-792d-11e8-8b08-286ed488ce70",
      line_no: 1,
    },
  ],
  owner: "6280e170bd934f60a4d851cf5ca05129",
  log_group_id: logGroupId,
  log_topic_id: logTopicId,
});

const orElse = (name: string | undefined, other: string): string => (name === undefined || name === "*" ? other : name);

function toCtsSample({ operations }: CtsConfig) {
  const [first] = checkCtsOperations(operations);
  return {
    cts: {
      time: "2018/06/26 08:54:07 GMT+08:00",
      user: {
        name: "userName",
        id: "5b726c4fbfd84821ba866bafaaf56aax",
        domain: { name: "domainName", id: "b2b3853af40448fcb9e40dxj89505ba" },
      },
      request: {},
      response: {},
      code: 204,
      service_type: orElse(first?.service, "vpc"),
      resource_type: orElse([...(first?.resourceTypes ?? [])][0], "VPC"),
      resource_name: "workflow-2be1",
      resource_id: "urn:fgs:region:2d1d891d93054bbaa69b9e866c0971ac:graph:workflow-2be1",
      trace_name: orElse([...(first?.operations ?? [])][0], "deleteGraph"),
      trace_type: "ConsoleAction",
      record_time: "2018/06/26 08:54:07 GMT+08:00",
      trace_id: "69be64a7-0233-11e8-82e4-e5d37911193e",
      trace_status: "normal",
    },
  };
}

/** A value that a filter with * at its end takes. */
const matching = (filter: string | undefined, other: string): string =>
  filter === undefined || filter === "*" ? other : filter.replace(/\*$/, "example");

const toCloudEventSample = ({ types, sources }: CloudEventsConfig) => ({
  specversion: "1.0",
  type: matching(types?.[0], "com.example.someevent"),
  source: matching(sources?.[0], "/mycontext"),
  subject: "larger-context",
  id: "A234-1234-1234",
  time: "2018-04-05T17:31:00Z",
  datacontenttype: "application/json",
  data: { appinfoA: "abc", appinfoB: 123, appinfoC: true },
});
