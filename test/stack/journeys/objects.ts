import { request } from "undici";
import { createTrigger, deployReporter, expectAllReported, newToken } from "../events.ts";
import { ready } from "../ready.ts";
import type { Stack } from "../stack.ts";
import { forAll } from "../wait.ts";
import type { Journey } from "./journey.ts";

const UPLOADS = 150;

/** A notification as an object store sends it. */
const toNotification = (token: string, index: number) => ({
  Records: [
    {
      ...{ eventVersion: "2.0", eventSource: "aws:s3", awsRegion: "eu-de", eventName: "ObjectCreated:Put" },
      eventTime: new Date(1_700_000_000_000 + index).toISOString(),
      userIdentity: { principalId: "uploader" },
      s3: {
        ...{ s3SchemaVersion: "1.0", configurationId: "all" },
        bucket: { name: "photos", arn: "arn:aws:s3:::photos", ownerIdentity: { principalId: "owner" } },
        object: { key: `in/${token}.jpg`, size: 1, eTag: "00", sequencer: index.toString(16).padStart(16, "0") },
      },
    },
  ],
});

/** Sends until it is taken, as an object store does: the one replica, then the other. */
async function notify(stack: Stack, token: string, index: number): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const answer = await request(`${stack.eventUrls[attempt % stack.eventUrls.length]}/events/default/uploads`, {
      method: "POST",
      headers: { authorization: `Bearer ${stack.api.key}`, "content-type": "application/json" },
      body: JSON.stringify(toNotification(token, index)),
    }).catch(() => undefined);
    const text = await answer?.body.text().catch(() => "");
    if (answer && answer.statusCode < 300) return;
    if (attempt > 100) throw new Error(`not taken: ${answer?.statusCode} ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export const objectEvents: Journey = {
  name: "object-events",
  shows:
    "I2, I6: each upload once, though its notification comes three times, a receiver is killed and the broker restarts",
  needs: { replicas: { "event-ingest": 2 } },
  async travel(stack) {
    await deployReporter(stack, "uploaded");
    const config = { bucket: "photos", events: ["s3:ObjectCreated:*"], prefix: "in/", suffix: ".jpg" };
    await createTrigger(stack, { name: "uploads", type: "obs", function: { name: "uploaded" }, config });
    const tokens = Array.from({ length: UPLOADS }, newToken);
    const sendAll = () => forAll(tokens.entries(), 8, ([index, token]) => notify(stack, token, index));
    const first = sendAll();
    const [one] = stack.members("event-ingest");
    await one!.kill();
    await one!.restart();
    await stack.broker.kill();
    await stack.broker.restart();
    await first;
    await ready(stack, 60_000);
    await Promise.all([sendAll(), sendAll()]);
    await expectAllReported(stack, tokens, { exactlyOnce: true });
  },
};
