import type { Envelope, FrameOptions, LedgerRecord, OutcomeHead } from "../../src/index.ts";

/**
 * What the files of this folder hold. They are never written anew: a new version of the layout gets files of its own,
 * and these decode to this for ever.
 */
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export const envelopes: { envelope: Envelope; options: FrameOptions }[] = [
  {
    envelope: {
      meta: {
        v: 1,
        id: "0199f2c4-5a00-8111-9222-333344445555",
        space: "default",
        function: "stock",
        qualifier: "latest",
        registryId: "0199f2c4-0000-7abc-8def-0123456789ab",
        revision: 42,
        partition: 3,
        kind: "http",
        source: "http",
        method: "POST",
        path: "/today",
        query: "a=1&a=2",
        headers: [
          ["content-type", "application/json"],
          ["x-twice", "one"],
          ["x-twice", "two"],
        ],
        deadlineMs: 30000,
        callbackUrl: "https://example.com/hook",
        callId: "order-1",
        idempotencyKey: "clé-1",
        orderingKey: "customer-9",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        depth: 2,
        acceptedAt: 1790000000000,
      },
      body: bytes('{"sku":"äöü"}'),
    },
    options: {
      verdict: true,
      priority: 7,
      delayMs: 1500,
      ttlMs: 3600000,
      orderingKeyHash: 0xdeadbeef,
      bodyHash: Uint8Array.from({ length: 16 }, (_, at) => 0xf0 + at),
    },
  },
  {
    envelope: {
      meta: {
        v: 1,
        id: "0199f2c4-5a01-7111-9222-333344445556",
        space: "shop",
        function: "nightly",
        qualifier: "latest",
        registryId: "0199f2c4-0001-7abc-8def-0123456789ab",
        revision: 1,
        partition: 0,
        kind: "event",
        source: "cron",
        trigger: "every-night",
        position: { source: "00112233445566778899aabbccddeeff", first: 1790000000000, last: 1790000060000 },
        method: "POST",
        path: "/",
        query: "",
        headers: [],
        deadlineMs: 0,
        acceptedAt: 1790000000001,
      },
      body: new Uint8Array(0),
    },
    options: {},
  },
  {
    envelope: {
      meta: {
        v: 1,
        id: "0199f2c4-5a02-8111-9222-333344445557",
        space: "shop",
        function: "thumbnail",
        qualifier: "latest",
        registryId: "0199f2c4-0002-7abc-8def-0123456789ab",
        revision: 9,
        partition: 65535,
        kind: "event",
        source: "obs",
        trigger: "uploads",
        method: "POST",
        path: "/",
        query: "",
        headers: [],
        deadlineMs: 0,
        bodyReference: { bucket: "BODIES", name: "0199f2c4-5a02", bytes: 5242880 },
        acceptedAt: 1790000000002,
      },
      body: new Uint8Array(0),
    },
    options: { named: true },
  },
];

const head: OutcomeHead = { epoch: 1790000000123, partition: 3, applied: 77 };
const outcome: LedgerRecord = {
  type: "outcome",
  id: "0199f2c4-5a00-8111-9222-333344445555",
  state: "succeeded",
  space: "default",
  function: "stock",
  registryId: "0199f2c4-0000-7abc-8def-0123456789ab",
  revision: 42,
  qualifier: "latest",
  kind: "http",
  source: "http",
  method: "POST",
  path: "/today",
  bodyHash: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
  place: { stream: "invocations", sequence: 70, index: 0 },
  attempts: 1,
  lost: 0,
  acceptedAt: 1790000000000,
  endedAt: 1790000000200,
  result: {
    statusCode: 200,
    headers: [["content-type", "text/plain"]],
    startedAt: 1790000000100,
    durationMs: 12.5,
    cold: true,
    executor: "executor-1",
  },
};

/** A tick that waits for the one before it (frame-overlap-v1). */
export const waitingTick: { envelope: Envelope; options: FrameOptions } = {
  envelope: { ...envelopes[1]!.envelope, body: bytes("{}") },
  options: { verdict: true, overlap: "queue-one" },
};

export const outcomes: { head: OutcomeHead; entries: { meta: LedgerRecord; body: Uint8Array }[] } = {
  head,
  entries: [
    { meta: outcome, body: Uint8Array.from([0, 1, 2, 253, 254, 255]) },
    { meta: { type: "cancel", id: "0199f2c4-5a01-7111-9222-333344445556", at: 1790000000300 }, body: bytes("") },
  ],
};
