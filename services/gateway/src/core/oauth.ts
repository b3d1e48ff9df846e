import { type AccessKey, FnbusError, holdsScope, type Scope, scopes, toId } from "@fnbus/contract";

/** A token request (RFC 6749 section 4.4.2), as far as it was read. */
export interface TokenRequest {
  clientId: string;
  clientSecret: string;
  scope?: string;
}

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const clientPattern = /^app::([0-7][0-9A-HJKMNP-TV-Z]{25})$/;

/** `app::<ULID>` as the key's id; undefined where it is none. */
export function fromClientId(text: string): string | undefined {
  const ulid = clientPattern.exec(text)?.[1];
  if (ulid === undefined) return undefined;
  let value = 0n;
  for (const digit of ulid) value = (value << 5n) | BigInt(CROCKFORD.indexOf(digit));
  return toId(Buffer.from(value.toString(16).padStart(32, "0"), "hex"));
}

/**
 * Reads a form and an Authorization header. Throws `invalid_request` (doubled field), `oauth_invalid_grant`,
 * `oauth_invalid_client` (no credentials, or two kinds of them).
 */
export function toTokenRequest(form: string, authorization: string | undefined): TokenRequest {
  const fields = toFields(form);
  if (fields.grant_type !== "client_credentials") throw new FnbusError("oauth_invalid_grant");
  const credentials = toClientCredentials(fields, authorization);
  return { ...credentials, ...(fields.scope === undefined ? {} : { scope: fields.scope }) };
}

/** Client credentials of the form, or of HTTP Basic (RFC 6749 section 2.3.1). Throws `oauth_invalid_client`. */
export function toClientCredentials(
  fields: Partial<Record<string, string>>,
  authorization: string | undefined,
): { clientId: string; clientSecret: string } {
  const basic = authorization === undefined ? undefined : /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(authorization)?.[1];
  if (basic !== undefined && fields.client_secret !== undefined) throw new FnbusError("oauth_invalid_client");
  if (basic !== undefined) {
    const text = Buffer.from(basic, "base64").toString("utf8");
    const colon = text.lastIndexOf(":");
    return { clientId: decode(text.slice(0, colon)), clientSecret: decode(text.slice(colon + 1)) };
  }
  if (!fields.client_id || !fields.client_secret) throw new FnbusError("oauth_invalid_client");
  return { clientId: fields.client_id, clientSecret: fields.client_secret };
}

/** Fields of a form. Throws `invalid_request` where one is doubled (RFC 6749 section 3.2). */
export function toFields(form: string): Partial<Record<string, string>> {
  const fields: Partial<Record<string, string>> = Object.create(null);
  for (const [name, value] of new URLSearchParams(form)) {
    if (name in fields) throw new FnbusError("invalid_request", `${name.slice(0, 64)} was sent more than once`);
    fields[name] = value;
  }
  return fields;
}

/** The scopes of a token: those asked for, or all of the client's. Throws `oauth_invalid_scope`. */
export function toGrantedScopes(client: AccessKey, scope: string | undefined): Scope[] {
  if (scope === undefined || scope.trim() === "") return client.scopes;
  const asked = [...new Set(scope.trim().split(/ +/))];
  const unknown = asked.find((one) => !scopes.includes(one as Scope) || !holdsScope(client.scopes, one as Scope));
  if (unknown !== undefined)
    throw new FnbusError("oauth_invalid_scope", `the client may not have ${JSON.stringify(unknown.slice(0, 64))}`);
  return asked as Scope[];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new FnbusError("oauth_invalid_client");
  }
}
