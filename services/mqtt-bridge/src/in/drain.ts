import { createJudge, type MqttTrigger, toSubscriptions } from "../core/subscriptions.ts";
import { openConnection } from "./connection.ts";
import { createReceiver, type SessionContext } from "./session.ts";
import { unsubscribe } from "./subscribe.ts";

/** A session in which nothing came for so long holds nothing more. */
const QUIET_MS = 2_000;
/** A broker that cannot be reached is not waited for: the session stays until it expires, or for the next who looks. */
const PATIENCE_MS = 60_000;

/**
 * Empties a session that nobody connects to any more, and ends it: it would gather its share of the messages, and lose them
 * when it expires. Resolves to false where that was not possible.
 */
export type Drain = (
  trigger: MqttTrigger,
  clientId: string,
  target: Pick<SessionContext, "status" | "counts" | "mayConnect">,
) => Promise<boolean>;

/** `signal` ends every draining; what is not empty then stays. */
export function createDrain(
  context: Pick<SessionContext, "openSocket" | "reconnectMs" | "deliver">,
  signal: AbortSignal,
): Drain {
  return async (trigger, clientId, target) => {
    if (signal.aborted) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const subscriptions = toSubscriptions(trigger);
    const receive = createReceiver({ ...context, ...target }, () => ({
      ...{ trigger, judge: createJudge(subscriptions), isNew: false },
    }));
    let inHand = 0;
    let isUnsubscribed = false;
    let quiet: NodeJS.Timeout | undefined;
    /** Empty is what nothing comes from any more, and of which nothing is unacknowledged. */
    const waitOn = () => {
      clearTimeout(quiet);
      if (isUnsubscribed && inHand === 0) quiet = setTimeout(() => resolve(true), QUIET_MS);
    };
    const connection = openConnection({
      ...{ config: trigger.config, clientId, openSocket: context.openSocket, reconnectMs: context.reconnectMs },
      mayConnect: target.mayConnect,
      onFailure() {
        isUnsubscribed = false;
        waitOn();
      },
      async onMessage(packet, held) {
        inHand++;
        waitOn();
        await receive(packet, held).finally(() => {
          inHand--;
          waitOn();
        });
      },
      async onConnect(client, { sessionPresent }) {
        if (!sessionPresent) return resolve(true);
        await unsubscribe(
          client,
          subscriptions.map(({ topic }) => topic),
        );
        isUnsubscribed = true;
        waitOn();
      },
    });
    const patience = setTimeout(() => resolve(false), PATIENCE_MS);
    const stop = () => resolve(false);
    signal.addEventListener("abort", stop);
    const drained = await promise;
    signal.removeEventListener("abort", stop);
    clearTimeout(patience);
    clearTimeout(quiet);
    await connection.stop({ forget: drained });
    return drained;
  };
}
