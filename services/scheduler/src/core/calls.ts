import { FnbusError, type RegisteredFunction } from "@fnbus/contract";
import type { EventCall } from "@fnbus/publisher";
import { type Schedule, toZonedTime } from "@fnbus/sources";
import type { TickingTrigger } from "./job.ts";

/** SmartWorks' cron: an empty POST, with the headers of OpenFaaS' connector (wire-compatibility.md 7.4). */
export const toCronCall = (trigger: TickingTrigger, to: RegisteredFunction): EventCall => ({
  to,
  trigger,
  kind: "http",
  headers: [
    ["x-topic", "cron-function"],
    ["x-connector", "cron-connector"],
  ],
  body: new Uint8Array(0),
});

/** FunctionGraph's timer event (wire-compatibility.md 5.3); its time is the tick's, in the schedule's zone. */
export function toTimerCall(
  trigger: TickingTrigger,
  to: RegisteredFunction,
  tick: number,
  schedule: Schedule,
): EventCall {
  const event = {
    version: "v1.0",
    time: toZonedTime(tick, schedule.timezone),
    trigger_type: "TIMER",
    trigger_name: trigger.name,
    user_event: (trigger.type === "timer" ? trigger.config.userEvent : undefined) ?? "",
  };
  return {
    ...{ to, trigger, kind: "event" },
    headers: [["content-type", "application/json"]],
    body: Buffer.from(JSON.stringify(event)),
  };
}

/** The time of a tick that is tried out: now, or what `event` says: { "time": "2026-03-01T08:30:00+01:00" }. */
export function toTestedTick(event: unknown, now: number): number {
  if (event === undefined || event === null) return Math.floor(now / 1000) * 1000;
  const time = (event as { time?: unknown }).time;
  const tick = typeof time === "string" ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(tick)) {
    throw new FnbusError(
      "event_malformed",
      'An event of a schedule is its time: {"time": "2026-03-01T08:30:00+01:00"}.',
    );
  }
  return tick;
}
