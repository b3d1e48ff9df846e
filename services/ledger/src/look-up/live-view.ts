import type { AttemptRecord, EnvelopeMeta, InvocationView } from "@fnbus/contract";
import type { KeptInvocation, LiveInvocation } from "../core/index.ts";
import { toHistory } from "../projection/view.ts";

/** `find` of the core gives unfinished ones, and ids of ended ones that it still keeps. */
export const isLive = (found: LiveInvocation | KeptInvocation): found is LiveInvocation => "place" in found;

/** An unfinished invocation as the look-up shows it. */
export function toLiveView(live: LiveInvocation, meta: EnvelopeMeta, history: AttemptRecord[]): InvocationView {
  return {
    id: live.id,
    state: live.state,
    space: meta.space,
    function: meta.function,
    registryId: live.registryId,
    qualifier: meta.qualifier,
    source: meta.source,
    mode: "async",
    method: meta.method,
    path: meta.path,
    acceptedAt: live.acceptedAt,
    attempts: live.attempts,
    lost: live.lost,
    history: history.map(toHistory),
    ...(meta.trigger === undefined ? {} : { trigger: meta.trigger }),
    ...(meta.callId === undefined ? {} : { callId: meta.callId }),
    ...(meta.idempotencyKey === undefined ? {} : { idempotencyKey: meta.idempotencyKey }),
    ...(meta.callbackUrl === undefined
      ? {}
      : { callbackUrl: meta.callbackUrl, callback: { url: meta.callbackUrl, state: "pending", attempts: [] } }),
    ...(meta.redriveOf === undefined ? {} : { redriveOf: meta.redriveOf }),
    ...(meta.traceparent === undefined ? {} : { traceparent: meta.traceparent }),
    ...(live.state === "waiting" ? { nextAttemptAt: live.nextAt } : {}),
  };
}
