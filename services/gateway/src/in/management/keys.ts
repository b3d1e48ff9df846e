import { type AccessKey, createKeyText, FnbusError, hashSecret, toUlid } from "@fnbus/contract";
import type { Static } from "typebox";
import type { Doors } from "../doors.ts";
import { type App, pathOf, platformRoute } from "./app.ts";
import { KeyView, NewKey, pageOf } from "./schemas.ts";

/** Keys of people and programs, and OAuth2 clients: the same thing with another door. */
const kinds = [
  { path: "/keys", kind: "key", tags: ["Keys"], one: "key" },
  { path: "/clients", kind: "client", tags: ["OAuth2"], one: "OAuth2 client" },
] as const;

const show = ({ secretHash: _hash, ...shown }: AccessKey) => shown;
/** An OAuth2 client is known by another text outside. */
const clientFields = ({ kind, id }: AccessKey) => (kind === "client" ? { client_id: `app::${toUlid(id)}` } : {});

export function keyRoutes(app: App, { access, registry }: Doors): void {
  function toKey(kind: AccessKey["kind"], id: string, secret: string, wanted: Static<typeof NewKey>): AccessKey {
    const now = Date.now();
    const { spaces = [], expiresAt, ...rest } = wanted;
    for (const space of spaces)
      if (!registry.space(space)) throw new FnbusError("space_not_found", `no space ${space}`);
    if (expiresAt !== undefined && expiresAt <= now)
      throw new FnbusError("invalid_request", "expiresAt is past", { details: { field: "expiresAt" } });
    const life = expiresAt === undefined ? {} : { expiresAt };
    return { ...rest, ...life, id, kind, spaces, secretHash: hashSecret(secret), createdAt: now };
  }

  for (const { path, kind, tags, one } of kinds) {
    app.get(
      path,
      { config: platformRoute("admin"), schema: { tags, summary: `List ${one}s`, response: { 200: pageOf(KeyView) } } },
      async () => ({
        data: access
          .keys()
          .filter((key) => key.kind === kind)
          .sort((first, second) => first.createdAt - second.createdAt)
          .map((key) => ({ ...show(key), ...clientFields(key) })),
      }),
    );

    app.post(
      path,
      {
        config: platformRoute("admin"),
        schema: {
          tags,
          summary: `Create a ${one}; its secret is shown once`,
          body: NewKey,
          response: { 201: KeyView },
        },
      },
      async (request, reply) => {
        const { id, secret, text } = createKeyText();
        const key = toKey(kind, id, secret, request.body);
        await access.putKey(key);
        const shown = kind === "key" ? { key: text } : { ...clientFields(key), client_secret: secret };
        return reply
          .code(201)
          .header("cache-control", "no-store")
          .send({ ...show(key), ...shown });
      },
    );

    app.delete(
      `${path}/:id`,
      { config: platformRoute("admin"), schema: { tags, summary: `Revoke a ${one}` } },
      async (request, reply) => {
        const key = access.keyById(pathOf(request).id);
        if (!key || key.kind !== kind) throw new FnbusError("key_not_found");
        // Kept, so that its holder is told why; the tokens of a revoked client end with it.
        await access.putKey({ ...key, revokedAt: key.revokedAt ?? Date.now() });
        return reply.code(204).send();
      },
    );
  }
}
