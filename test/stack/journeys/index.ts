import { asyncCallback } from "./async-callback.ts";
import { callbackTargetDown, callbackTargetHangs, redisFlushed, redisKilled } from "./callbacks.ts";
import { executorFrozen } from "./executor-frozen.ts";
import { executorKilledMidRun } from "./executor-killed.ts";
import { gracefulStop } from "./graceful-stop.ts";
import { idempotentRetry } from "./idempotent-retry.ts";
import type { Journey } from "./journey.ts";
import { mqttMessages } from "./mqtt.ts";
import { objectEvents } from "./objects.ts";
import { kafkaRecords, rabbitmqMessages } from "./queues.ts";
import { scheduleTicksOnce } from "./schedule.ts";
import { streamFull } from "./stream-full.ts";
import { syncInvoke } from "./sync-invoke.ts";
import {
  brokerKilledUnderLoad,
  brokerRestart,
  everyServiceKilled,
  gatewayKilledAfterAccept,
  ledgerOwnerKilled,
} from "./under-load.ts";

export const journeys: readonly Journey[] = [
  syncInvoke,
  asyncCallback,
  idempotentRetry,
  executorKilledMidRun,
  executorFrozen,
  gatewayKilledAfterAccept,
  everyServiceKilled,
  ledgerOwnerKilled,
  brokerRestart,
  brokerKilledUnderLoad,
  redisFlushed,
  redisKilled,
  callbackTargetDown,
  callbackTargetHangs,
  streamFull,
  gracefulStop,
  scheduleTicksOnce,
  objectEvents,
  mqttMessages,
  kafkaRecords,
  rabbitmqMessages,
];
