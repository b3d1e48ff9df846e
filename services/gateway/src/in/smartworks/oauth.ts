import { type AccessKey, createKeyText, FnbusError, hashSecret, parseKeyText } from "@fnbus/contract";
import { checkLife, isSecret } from "@fnbus/signing";
import type { FastifyInstance } from "fastify";
import { fromClientId, toClientCredentials, toFields, toGrantedScopes, toTokenRequest } from "../../core/oauth.ts";
import type { Doors } from "../doors.ts";

const FORM_BYTES = 16 * 1024;
/** Living tokens of one client; the oldest go first (I11). */
const MAX_TOKENS = 100;
const NO_HASH = hashSecret("");

/** OAuth2 client credentials (wire-compatibility.md 7.5). Tokens are opaque and stored as hashes, so revoking works at once. */
export async function oauthRoutes(app: FastifyInstance, doors: Doors): Promise<void> {
  const { access, settings } = doors;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string", bodyLimit: FORM_BYTES }, (_request, text, done) =>
    done(null, text),
  );
  const config = { dialect: "oauth" } as const;
  const tags = ["OAuth2"];

  app.post(
    "/oauth2/token",
    {
      config,
      bodyLimit: FORM_BYTES,
      schema: { tags, summary: "A token for a client (grant_type=client_credentials)" },
    },
    async (request, reply) => {
      const asked = toTokenRequest(String(request.body ?? ""), request.headers.authorization);
      const now = Date.now();
      const client = toClient(asked.clientId, asked.clientSecret, now);
      doors.rates.take(client, now, reply.raw);
      const scopes = toGrantedScopes(client, asked.scope);
      const { id, secret, text } = createKeyText();
      await dropTokens(client, now);
      await access.putKey({
        id,
        name: `token of ${client.name}`,
        kind: "token",
        secretHash: hashSecret(secret),
        scopes,
        spaces: client.spaces,
        createdAt: now,
        expiresAt: now + settings.tokenSeconds * 1000,
        client: client.id,
        ...(client.rate === undefined ? {} : { rate: client.rate }),
      });
      reply.header("cache-control", "no-store");
      // SmartWorks' own example says one second less than the time that the token lives.
      return {
        access_token: text,
        expires_in: settings.tokenSeconds - 1,
        scope: scopes.join(" "),
        token_type: "bearer",
      };
    },
  );

  app.post(
    "/oauth2/revoke",
    { config, bodyLimit: FORM_BYTES, schema: { tags, summary: "End a token (RFC 7009)" } },
    async (request, reply) => {
      const fields = toFields(String(request.body ?? ""));
      const { clientId, clientSecret } = toClientCredentials(fields, request.headers.authorization);
      const client = toClient(clientId, clientSecret, Date.now());
      const parsed = parseKeyText(fields.token ?? "");
      const token = parsed && access.keyById(parsed.id);
      // A token that is not the client's is answered alike (RFC 7009 section 2.2).
      if (parsed && token?.client === client.id && isSecret(parsed.secret, token.secretHash))
        await access.deleteKey(token.id);
      return reply.code(200).send();
    },
  );

  /** Throws `oauth_invalid_client`, with the same work and words for an unknown client and a wrong secret. */
  function toClient(clientId: string, secret: string, nowMs: number): AccessKey {
    const id = fromClientId(clientId);
    const client = id === undefined ? undefined : access.keyById(id);
    const isRight = isSecret(secret, client?.secretHash ?? NO_HASH);
    if (client?.kind !== "client" || !isRight) throw new FnbusError("oauth_invalid_client");
    checkLife(client, nowMs);
    return client;
  }

  async function dropTokens(client: AccessKey, nowMs: number): Promise<void> {
    const tokens = access
      .keys()
      .filter((key) => key.kind === "token" && key.client === client.id)
      .sort((one, other) => other.createdAt - one.createdAt);
    const over = tokens.filter((token, at) => at >= MAX_TOKENS - 1 || (token.expiresAt ?? 0) <= nowMs);
    for (const token of over) await access.deleteKey(token.id).catch(ignoreMissing);
  }
}

/** Another replica dropped it first. */
function ignoreMissing(error: unknown): void {
  if (!(error instanceof FnbusError && error.code === "key_not_found")) throw error;
}
