import type { Core } from "./core.ts";
import { type ApiFault, BusError, toRefusal } from "./errors.ts";
import type { AppendOptions } from "./types.ts";

const APPEND_TIMEOUT_MS = 3_000;
const EXPECTED_HEADER = "Nats-Expected-Last-Subject-Sequence";

/**
 * Publishes to a stream and awaits its acknowledgement (I1). Rejects with `wrong_sequence`, `full`, `not_stored`,
 * `too_large`; with `timeout` and `disconnected` the message may have been stored all the same.
 */
export async function append(
  core: Core,
  subject: string,
  data: Uint8Array,
  options: AppendOptions = {},
): Promise<{ sequence: number }> {
  const { headers, timeoutMs = APPEND_TIMEOUT_MS, expectedLastSubjectSequence: expected } = options;
  const sent = expected === undefined ? headers : { ...headers, [EXPECTED_HEADER]: String(expected) };
  const answer = await core.replies.ask(subject, data, timeoutMs, sent).catch((error) => {
    // No stream listens, or its leader is being elected: the broker has taken nothing.
    if (error instanceof BusError && error.code === "no_responders")
      throw new BusError("not_stored", `no stream takes ${subject} now`, { cause: error });
    throw error;
  });
  const { seq, error } = answer.json<{ seq?: number; error?: ApiFault }>();
  if (error) throw toRefusal(error, `append to ${subject}`);
  return { sequence: seq! };
}
