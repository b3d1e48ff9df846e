import { publisherSettings } from "@fnbus/publisher";
import { ServiceConfig } from "@fnbus/service";
import Type, { type Static } from "typebox";

/** Every variable of scheduler. */
export const SchedulerConfig = Type.Object({
  ...ServiceConfig,
  ...publisherSettings(
    "how long a tick may wait until the log acknowledges it and the ledger judges it, before it is tried again",
  ),
  FNBUS_TICKS_IN_FLIGHT: Type.Integer({
    default: 8_000,
    minimum: 1,
    maximum: 50_000,
    description: "schedules whose ticks are being published at once; others that are due wait",
  }),
});
export type SchedulerConfig = Readonly<Static<typeof SchedulerConfig>>;
