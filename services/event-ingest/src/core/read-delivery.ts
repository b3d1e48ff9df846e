import type { HandlerStyle, TriggerOf } from "@fnbus/contract";
import { fromJson } from "./cloudevent.ts";
import { type Delivery, readCloudEvents, toReading } from "./cloudevents-read.ts";
import { readCts } from "./cts-events.ts";
import { parseJson, type Reading } from "./event-part.ts";
import { readLts } from "./lts-events.ts";
import { readObs } from "./obs-events.ts";
import { toSample } from "./samples.ts";

export const httpTypes = ["obs", "lts", "cts", "cloudevents"] as const;
export type HttpType = (typeof httpTypes)[number];
/** A trigger whose events are sent to us over HTTP. */
export type HttpTrigger = { [T in HttpType]: TriggerOf<T> }[HttpType];

/** What a request to a trigger's address comes to. `style`: of the trigger's function. Throws what its type's reader throws. */
export function readDelivery(trigger: HttpTrigger, style: HandlerStyle, delivery: Delivery): Reading {
  return trigger.type === "cloudevents"
    ? readCloudEvents(trigger.config, style, delivery)
    : readEvent(trigger, style, parseJson(delivery.body));
}

/** The same of an event that was parsed, or of a sample where there is none. A CloudEvent is in its JSON form. */
export function readEvent(trigger: HttpTrigger, style: HandlerStyle, event: unknown): Reading {
  const value = event === undefined ? toSample(trigger) : event;
  switch (trigger.type) {
    case "obs":
      return readObs(trigger.config, value);
    case "lts":
      return readLts(trigger.config, value);
    case "cts":
      return readCts(trigger.config, value);
    case "cloudevents":
      return toReading(trigger.config, style, [fromJson(value)]);
  }
}
