import type { Bus } from "@fnbus/bus";
import type { Verdict } from "@fnbus/contract";

/** Answers go to inboxes alone: a message on INVOCATIONS cannot make the ledger publish to another subject. */
const inboxSubject = /^_INBOX[\w-]*\.[^\s*>]{1,200}$/;

/** Tells a publisher what became of its envelopes (L11). One that misses it repeats its pack and hears it again. */
export function sendVerdicts(bus: Bus, inbox: string, verdicts: readonly Verdict[]): void {
  if (inboxSubject.test(inbox) && bus.isConnected()) bus.publish(inbox, Buffer.from(JSON.stringify({ verdicts })));
}
