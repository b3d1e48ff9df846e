import { setTimeout as sleep } from "node:timers/promises";
import { AckPolicy, DeliverPolicy } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import type { Core } from "./core.ts";
import { BusError, isBusError, toBusError } from "./errors.ts";
import { type Delivered, toDirect } from "./messages.ts";
import { pullUntilLost } from "./pull.ts";
import type { StoredMessage, StreamState } from "./types.ts";

const READ_TIMEOUT_MS = 3_000;
const BATCH = 256;
const INACTIVE_MS = 10_000;
/** How long a member that was started again is waited for. */
const CATCH_UP_MS = 10_000;
const CATCH_UP_STEP_MS = 100;

type Query = { seq: number } | { last_by_subj: string } | { seq: number; next_by_subj: string };

/** A message as the stream's leader knows it. */
async function readFromLeader(core: Core, stream: string, query: Query): Promise<StoredMessage | undefined> {
  const found = await core.manager.streams.getMessage(stream, query).catch((error) => {
    throw toBusError(error, `read of ${stream}`);
  });
  if (!found) return undefined;
  return {
    subject: found.subject,
    sequence: found.seq,
    at: found.time.getTime(),
    data: found.data,
    header: (name) => (found.header?.has(name) ? found.header.get(name) : undefined),
  };
}

/** Never a direct get: a replica that is behind may answer that, and fences and ownership are decided by this. */
export const readLast = (core: Core, stream: string, subject: string): Promise<StoredMessage | undefined> =>
  readFromLeader(core, stream, { last_by_subj: subject });

/**
 * By a direct get, which any replica answers; one that is behind may not have it yet, so only the leader says "none".
 * A stream without direct gets is asked of its leader alone.
 */
async function readDirect(core: Core, stream: string, query: Query): Promise<StoredMessage | undefined> {
  const subject = `$JS.API.DIRECT.GET.${stream}`;
  const answer = await core.replies.ask(subject, Buffer.from(JSON.stringify(query)), READ_TIMEOUT_MS).catch((error) => {
    if (isBusError(error, "no_responders")) return undefined;
    throw error;
  });
  return answer && (answer.headers?.code ?? 0) === 0 ? toDirect(answer) : readFromLeader(core, stream, query);
}

export const readAt = (core: Core, stream: string, sequence: number): Promise<StoredMessage | undefined> =>
  readDirect(core, stream, { seq: sequence });

/** The first message of a subject at a sequence or behind it. */
export const readNext = (core: Core, stream: string, subject: string, from: number) =>
  readDirect(core, stream, { seq: from, next_by_subj: subject });

export async function streamState(core: Core, stream: string): Promise<StreamState> {
  const info = await core.manager.streams.info(stream).catch((error) => {
    throw toBusError(error, `state of ${stream}`);
  });
  return {
    name: stream,
    createdAt: Date.parse(info.created),
    first: info.state.first_seq,
    last: info.state.last_seq,
    messages: info.state.messages,
    bytes: info.state.bytes,
    maxBytes: info.config.max_bytes,
  };
}

/** Removes everything below `sequence`. The stream's last sequence stays, so positions never come again. */
export async function trim(core: Core, stream: string, sequence: number): Promise<void> {
  if (sequence <= 1) return;
  await core.manager.streams.purge(stream, { seq: sequence }).catch((error) => {
    throw toBusError(error, `trim of ${stream}`);
  });
}

/**
 * What is stored now under a subject, oldest first, at most the newest `maxMessages`. Its end is what the stream's
 * leader says: a consumer may stand on a member that still catches up, and is then made again.
 */
export async function readSubject(
  core: Core,
  name: string,
  stream: string,
  subject: string,
  options: ReadSubjectOptions,
): Promise<StoredMessage[]> {
  const end = performance.now() + CATCH_UP_MS;
  for (;;) {
    const last = await readLast(core, stream, subject);
    if (!last || last.at < (options.sinceMs ?? 0)) return [];
    const found = await readOnce(core, name, stream, subject, options);
    if ((found.at(-1)?.sequence ?? 0) >= last.sequence) return found;
    if (performance.now() > end) throw new BusError("timeout", `reading ${subject}: a member of the cluster is behind`);
    await sleep(CATCH_UP_STEP_MS);
  }
}

interface ReadSubjectOptions {
  sinceMs?: number;
  maxMessages: number;
}

/** What one consumer, wherever it stands, has of a subject. */
async function readOnce(
  core: Core,
  name: string,
  stream: string,
  subject: string,
  { sinceMs, maxMessages }: ReadSubjectOptions,
): Promise<StoredMessage[]> {
  const info = await core.manager.consumers
    .add(stream, {
      ack_policy: AckPolicy.None,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: nanos(INACTIVE_MS),
      filter_subject: subject,
      ...(sinceMs === undefined
        ? { deliver_policy: DeliverPolicy.All }
        : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(sinceMs).toISOString() }),
    })
    .catch((error) => {
      throw toBusError(error, `reading ${subject}`);
    });
  const found: Delivered[] = [];
  const done = new AbortController();
  if (info.num_pending > 0) {
    await pullUntilLost(core, {
      stream,
      consumer: info.name,
      batch: BATCH,
      name,
      signal: AbortSignal.any([done.signal, core.closing]),
      async onBatch(batch) {
        found.push(...batch);
        if (found.length > maxMessages) found.splice(0, found.length - maxMessages);
        if (batch.at(-1)!.pending === 0) done.abort();
      },
    });
    if (!done.signal.aborted) throw new BusError("disconnected", `reading ${subject} was cut off`);
  }
  core.manager.consumers.delete(stream, info.name).catch(() => false);
  return found;
}
