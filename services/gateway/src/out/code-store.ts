import { createHash } from "node:crypto";
import type { Bus } from "@fnbus/bus";
import { buckets, type CodeVersion, createId, FnbusError } from "@fnbus/contract";
import { toPlatformError } from "@fnbus/publisher";
import type { Logger } from "@fnbus/telemetry";

/** Code archives in the object store. */
export interface CodeStore {
  /** Stores an archive as the version `number` of a function. Throws `store_unavailable`. */
  put(registryId: string, number: number, archive: Buffer, nowMs: number): Promise<CodeVersion>;
  /** Throws `code_unavailable`. */
  get(version: CodeVersion): Promise<Buffer>;
  drop(objects: readonly string[]): Promise<void>;
}

export function createCodeStore(bus: Bus, logger: Logger): CodeStore {
  const store = () => bus.objects(buckets.code);
  return {
    async put(registryId, number, archive, nowMs) {
      const object = `${registryId}/${createId(nowMs)}`;
      try {
        await (await store()).put(object, archive);
      } catch (error) {
        throw toPlatformError(error, "store_unavailable");
      }
      const sha256 = createHash("sha256").update(archive).digest("hex");
      return { number, object, sha256, bytes: archive.length, createdAt: nowMs };
    },
    async get({ object }) {
      const bytes = await store()
        .then((opened) => opened.get(object))
        .catch((error: unknown) => {
          throw toPlatformError(error, "code_unavailable");
        });
      if (!bytes) throw new FnbusError("code_unavailable");
      return Buffer.from(bytes);
    },
    async drop(objects) {
      const opened = await store().catch(() => undefined);
      for (const object of objects)
        await opened?.delete(object).catch((error: unknown) => {
          logger.warn({ err: error, object }, "an archive that nothing names could not be deleted");
        });
    },
  };
}
