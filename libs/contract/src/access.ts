import { hash, randomBytes } from "node:crypto";
import Type, { type Static } from "typebox";
import { createId } from "./ids.ts";

/** Scopes of keys and tokens (wire-compatibility.md 7.5). `admin` holds all. `function` holds all of function.*, `trigger` all of
 * trigger.*; `trigger.publish` lets a source send its events.  */
export const scopes = [
  "admin",
  "function",
  "function.create",
  "function.read",
  "function.update",
  "function.delete",
  "function.invoke",
  "trigger",
  "trigger.create",
  "trigger.read",
  "trigger.update",
  "trigger.delete",
  "trigger.publish",
  "invocation.read",
  "invocation.write",
] as const;
export const Scope = Type.Unsafe<(typeof scopes)[number]>(Type.Union(scopes.map((scope) => Type.Literal(scope))));
export type Scope = (typeof scopes)[number];

/** A key as it is stored: the secret's SHA-256 only. The secret is shown once, as `fnb_<id>_<secret>`. */
export const AccessKey = Type.Object(
  {
    id: Type.String(),
    name: Type.String({ maxLength: 128 }),
    /** `key`: a bearer key. `client`: an OAuth2 client (`app::<ULID>`). `token`: issued to a client. */
    kind: Type.Union([Type.Literal("key"), Type.Literal("client"), Type.Literal("token")]),
    secretHash: Type.String(),
    scopes: Type.Array(Scope),
    /** Spaces it may touch; empty: all. */
    spaces: Type.Array(Type.String()),
    createdAt: Type.Number(),
    expiresAt: Type.Optional(Type.Number()),
    revokedAt: Type.Optional(Type.Number()),
    /** Requests a second; absent: the gateway's default. */
    rate: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    /** Of a token: the client that it was issued to. */
    client: Type.Optional(Type.String()),
  },
  { $id: "AccessKey" },
);
export type AccessKey = Static<typeof AccessKey>;

/** Whether what a key holds covers what a route needs. */
export const holdsScope = (held: readonly Scope[], needed: Scope): boolean =>
  held.includes(needed) || held.includes("admin") || held.includes(needed.split(".")[0] as Scope);

const SECRET_BYTES = 32;
const keyText = /^fnb_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;

/** A new key's id and secret, and the text that its owner is shown once. */
export function createKeyText(): { id: string; secret: string; text: string } {
  const id = createId();
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  return { id, secret, text: `fnb_${id}_${secret}` };
}

/** Takes `fnb_<id>_<secret>` apart. undefined: not a key of ours. */
export function parseKeyText(text: string): { id: string; secret: string } | undefined {
  const match = keyText.exec(text);
  return match ? { id: match[1]!, secret: match[2]! } : undefined;
}

/** What is stored of a secret. Secrets are 256 random bits, so one plain SHA-256 cannot be searched. */
export const hashSecret = (secret: string): string => hash("sha256", secret, "hex");
