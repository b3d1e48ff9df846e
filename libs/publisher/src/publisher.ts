import { setTimeout as pause } from "node:timers/promises";
import type { Bus } from "@fnbus/bus";
import { FnbusError, type RegisteredFunction } from "@fnbus/contract";
import type { Logger } from "@fnbus/telemetry";
import { createBacklog } from "./backlog.ts";
import { createBodies } from "./bodies.ts";
import { toEnvelope } from "./event-call.ts";
import { createGiveUps } from "./give-ups.ts";
import { hearLedgers } from "./hear-ledgers.ts";
import { createInvocations } from "./invocations.ts";
import { createLedger } from "./ledger.ts";
import type { Publisher } from "./types.ts";
import { createVerdicts } from "./verdicts.ts";

export interface PublisherContext {
  bus: Bus;
  logger: Logger;
  /** Name of the service, as records show it. */
  service: string;
  partitions: number;
  /** For acknowledgement and verdict of one call or pack in all. */
  timeoutMs: number;
}

/** Between looks whether a full backlog has room again; spread, so that many sources do not come back at once. */
const ROOM_MS = 500;
/** Sources of one question; the ledger takes no more. */
const MARKS_AT_ONCE = 1000;

/** The durable way in for sources. */
export function createPublisher({ bus, logger, service, partitions, timeoutMs }: PublisherContext): Publisher {
  const backlog = createBacklog();
  const hearing = hearLedgers(bus, backlog, logger);
  const invocations = createInvocations(bus, createBodies(bus, logger), createVerdicts(bus, logger), {
    ...{ partitions, timeoutMs },
  });
  const giveUps = createGiveUps(bus, service, logger);
  const ledger = createLedger(bus, partitions);
  const check = ({ definition }: RegisteredFunction, kept: boolean) =>
    backlog.check(definition.partition, definition.id, kept, Date.now());

  return {
    async send(call) {
      check(call.to, call.name !== undefined);
      const { envelope, frame } = toEnvelope(call, Date.now());
      const { id } = await invocations.accept(envelope, frame);
      return { id };
    },
    async sendJudged(call) {
      check(call.to, call.name !== undefined);
      const { envelope, frame } = toEnvelope(call, Date.now());
      return invocations.acceptJudged(envelope, frame);
    },
    async sendInOrder(calls) {
      if (calls[0]) check(calls[0].to, false);
      const nowMs = Date.now();
      return invocations.acceptInOrder(calls.map((call) => toEnvelope(call, nowMs)));
    },
    async marks(partition, sources) {
      const marks: (number | null)[] = [];
      for (let at = 0; at < sources.length; at += MARKS_AT_ONCE) {
        const asked = sources.slice(at, at + MARKS_AT_ONCE);
        const { answer } = await ledger.ask(partition, { ask: "marks", sources: asked }, "marks");
        marks.push(...answer.marks);
      }
      return marks;
    },
    check,
    async whenRoom(to, kept, signal) {
      for (;;) {
        signal.throwIfAborted();
        try {
          return check(to, kept);
        } catch (error) {
          if (!(error instanceof FnbusError)) throw error;
        }
        await pause(ROOM_MS * (0.5 + Math.random()), undefined, { signal });
      }
    },
    giveUp: giveUps.add,
    async close() {
      giveUps.close();
      await invocations.close();
      hearing.unsubscribe();
    },
  };
}
