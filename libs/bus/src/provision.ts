import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { Objm } from "@nats-io/obj";
import { nanos } from "@nats-io/transport-node";
import type { Core } from "./core.ts";
import { BusError, isBusError, toBusError } from "./errors.ts";
import { toBucketStream } from "./key-value.ts";
import { toObjectStream } from "./objects.ts";
import type { Bus, StreamSpec } from "./types.ts";

type Wanted = Parameters<Bus["provision"]>[0];
type Config = Partial<StreamConfig>;

/**
 * Which layout a stream has, in its description (stream metadata needs a server of 2.10). A newer one is refused: an
 * older release must not change it back.
 */
const LAYOUT = 1;
const DESCRIPTION = `fnbus layout ${LAYOUT}`;
/** The least that servers take. Identity never rests on message ids (ARCHITECTURE: a window forgets). */
const DUPLICATE_WINDOW_MS = 100;

const toStreamConfig = (spec: StreamSpec): Config => ({
  name: spec.name,
  description: DESCRIPTION,
  subjects: spec.subjects,
  storage: StorageType.File,
  retention: RetentionPolicy.Limits,
  discard: spec.discard === "new" ? DiscardPolicy.New : DiscardPolicy.Old,
  max_bytes: spec.maxBytes,
  max_age: nanos(spec.maxAgeMs ?? 0),
  num_replicas: spec.replicas,
  allow_direct: true,
  duplicate_window: nanos(DUPLICATE_WINDOW_MS),
});

/** What an existing stream may not differ in: changing it loses messages or another meaning of them. */
const fixed = ["subjects", "storage", "retention", "discard"] as const;
/** What is brought up to date. */
const adjustable = ["max_bytes", "max_age", "num_replicas", "max_msgs_per_subject", "allow_direct"] as const;

async function existing(core: Core, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await core.manager.streams.info(name)).config;
  } catch (thrown) {
    const error = toBusError(thrown, `state of ${name}`);
    if (isBusError(error, "not_found")) return undefined;
    throw error;
  }
}

const layoutOf = (config: StreamConfig): number =>
  Number(/^fnbus layout (\d+)$/.exec(config.description ?? "")?.[1] ?? LAYOUT);

/** Compares what stands with what is wanted; updates sizes, throws `mismatch` for the rest. */
async function adjust(core: Core, found: StreamConfig, wanted: Config): Promise<void> {
  const { name } = found;
  if (layoutOf(found) > LAYOUT)
    throw new BusError(
      "mismatch",
      `${name} has layout ${layoutOf(found)}, this release knows ${LAYOUT}: use a newer one`,
    );
  for (const setting of fixed) {
    const [is, should] = [JSON.stringify(found[setting]), JSON.stringify(wanted[setting])];
    if (wanted[setting] !== undefined && is !== should)
      throw new BusError("mismatch", `${name}: ${setting} is ${is}, expected ${should}; move or delete the stream`);
  }
  const changes = adjustable.filter((setting) => wanted[setting] !== undefined && found[setting] !== wanted[setting]);
  if (changes.length === 0) return;
  const update: Config = { ...found };
  for (const setting of changes) Object.assign(update, { [setting]: wanted[setting] });
  await core.manager.streams.update(name, update).catch((error) => {
    throw toBusError(error, `update of ${name} (${changes.join(", ")})`);
  });
}

async function ensure(core: Core, name: string, wanted: Config, create: () => Promise<unknown>): Promise<void> {
  const found = await existing(core, name);
  if (found) return adjust(core, found, wanted);
  try {
    await create();
  } catch (thrown) {
    // Two provisioners at once: the other made it. Anything else stands.
    const made = await existing(core, name);
    if (!made) throw toBusError(thrown, `creation of ${name}`);
    await adjust(core, made, wanted);
  }
}

/** Streams and buckets as they should be. Safe to repeat and to run twice at once. */
export async function provision(core: Core, wanted: Wanted): Promise<void> {
  for (const spec of wanted.streams) {
    const config = toStreamConfig(spec);
    await ensure(core, spec.name, config, () => core.manager.streams.add(config as Config & { name: string }));
  }
  for (const { name, history, maxBytes, replicas } of wanted.keyValues) {
    const sizes = { max_bytes: maxBytes, num_replicas: replicas, max_msgs_per_subject: history };
    const create = () =>
      new Kvm(core.jetstream).create(name, { description: DESCRIPTION, history, max_bytes: maxBytes, replicas });
    await ensure(core, toBucketStream(name), sizes, create);
  }
  for (const { name, maxBytes, replicas } of wanted.objects) {
    const create = () =>
      new Objm(core.jetstream).create(name, {
        description: DESCRIPTION,
        storage: StorageType.File,
        max_bytes: maxBytes,
        replicas,
      });
    await ensure(core, toObjectStream(name), { max_bytes: maxBytes, num_replicas: replicas }, create);
  }
}
