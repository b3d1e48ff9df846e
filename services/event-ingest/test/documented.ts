import type { TriggerOf } from "@fnbus/contract";
import type { HttpType } from "../src/core/read-delivery.ts";

/** The example events of functiongraph-event-sources.txt, as they stand there. */
export const obsExample = {
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
          key: "job.png",
          size: 777835,
        },
        bucket: {
          name: "functionstorage-template",
          ownerIdentity: { PrincipalId: "0ed1b73473f24134a478962e631651eb" },
        },
      },
      Region: "{region}",
      eventName: "ObjectCreated:Post",
      userIdentity: { principalId: "9bf43789b1ff4b679040f35cc4f0dc05" },
    },
  ],
};

export const ltsExample = {
  lts: {
    data: "ICB7CiAgICAibG9ncyI6W3sKICAgICAgICAgIm1lc3NhZ2UiOiIyMDE4LTA4LTA4LzA4OjA4OjA4IFtXUk5dIFt0ZXN0LmdvOjA4XVRoaXMgaXMgYSB0ZXN0IG1lc3NhZ2UuIiwKICAgICAgICAgInRpbWUiOjE1MzAwMDk2NTMwNTksCiAgICAgICAgICJob3N0X25hbWUiOiJlY3MtdGVzdCIsCiAgICAgICAgICJpcCI6IjE5Mi4xNjguMS4xIiwKICAgICAgICAgInBhdGgiOiJ2YXIvbG9nL3Rlc3QubG9nIiwKICAgICAgICAgImxvZ191aWQiOiI2NjNkNjkzMC03OTJkLTExZTgtOGIwOC0yODZlZDQ4OGNlNzAiLAogICAgICAgICAibGluZV9ubyI6MQogICAgIH1dLAogICAgIm93bmVyIjogIjYyODBlMTcwYmQ5MzRmNjBhNGQ4NTFjZjVjYTA1MTI5IiwKICAgICJsb2dfZ3JvdXBfaWQiOiAiOTdhOWQyODQtNDQ0OC0xMWU4LThmYTQtMjg2ZWQ0ODhjZTcwIiwKICAgICJsb2dfdG9waWNfaWQiOiAiMWE5Njc1YTctNzg0ZC0xMWU4LTlmNzAtMjg2ZWQ0ODhjZTcwIgogfQ==",
  },
};

export const ctsExample = {
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
    service_type: "vpc",
    resource_type: "VPC",
    resource_name: "workflow-2be1",
    resource_id: "urn:fgs:{region}:2d1d891d93054bbaa69b9e866c0971ac:graph:workflow-2be1",
    trace_name: "deleteGraph",
    trace_type: "ConsoleAction",
    record_time: "2018/06/26 08:54:07 GMT+08:00",
    trace_id: "69be64a7-0233-11e8-82e4-e5d37911193e",
    trace_status: "normal",
  },
};

/** What MinIO sends on a put: its own names beside S3's Records, the key URL-encoded with + for a space. */
export const minioExample = {
  EventName: "s3:ObjectCreated:Put",
  Key: "images/in/my photo.png",
  Records: [
    {
      eventVersion: "2.0",
      eventSource: "minio:s3",
      awsRegion: "",
      eventTime: "2026-11-21T10:00:00.123Z",
      eventName: "s3:ObjectCreated:Put",
      userIdentity: { principalId: "minioadmin" },
      requestParameters: { principalId: "minioadmin", region: "", sourceIPAddress: "172.17.0.1" },
      responseElements: { "x-amz-request-id": "17D0", "x-minio-origin-endpoint": "http://127.0.0.1:9000" },
      s3: {
        s3SchemaVersion: "1.0",
        configurationId: "Config",
        bucket: { name: "images", ownerIdentity: { principalId: "minioadmin" }, arn: "arn:aws:s3:::images" },
        object: {
          key: "in/my+photo.png",
          size: 4096,
          eTag: "d41d8cd98f00b204e9800998ecf8427e",
          contentType: "image/png",
          userMetadata: { "content-type": "image/png" },
          sequencer: "17D0A3E2C1B0F4A8",
        },
      },
      source: { host: "172.17.0.1", port: "", userAgent: "MinIO (linux; amd64) minio-go/v7" },
    },
  ],
};

/** A trigger of a type, running. */
export const toTrigger = <T extends HttpType>(type: T, config: TriggerOf<T>["config"], name: string = type) =>
  ({
    ...{ id: crypto.randomUUID(), incarnation: crypto.randomUUID(), space: "test", name, description: "" },
    ...{ function: { name: "taker", qualifier: "latest" }, enabled: true, createdAt: 0, updatedAt: 0 },
    ...{ type, config },
  }) as unknown as TriggerOf<T>;
