import { caller, later, row } from "./error-rows.ts";
import { runErrors } from "./error-table-runs.ts";
import { triggerErrors } from "./error-table-triggers.ts";
import type { ErrorRow } from "./errors.ts";

/** Every error of the platform. docs/errors.md is this table; a test keeps the two equal. */
export const errorTable = {
  // Who is calling
  unauthenticated: caller(401, "No valid credentials", "Send Authorization: Bearer <key or token>."),
  key_expired: caller(
    401,
    "The key or token is over its time",
    "Make a new key, or ask /oauth2/token for a new token.",
  ),
  key_revoked: caller(401, "The key was revoked", "Make a new key."),
  oauth_invalid_client: caller(401, "Unknown OAuth2 client or wrong secret", "Check client_id and client_secret."),
  oauth_invalid_grant: caller(400, "Unsupported grant type", "Use grant_type=client_credentials."),
  oauth_invalid_scope: caller(400, "The client may not have that scope", "Ask for scopes that the client was given."),
  scope_missing: caller(403, "The key lacks the scope for this", "Use a key with the scope that details.scope names."),
  space_forbidden: caller(403, "The key belongs to other spaces", "Use a key of this space."),
  callback_loop: caller(
    508,
    "The call has gone through too many functions",
    "Break the loop between functions or callbacks.",
  ),

  // What is asked for
  route_not_found: caller(404, "No such route", "See /docs for the routes."),
  path_too_deep: caller(
    404,
    "More than three path levels after invoke",
    "Use at most /a/b/c, or put the rest in the query.",
  ),
  method_not_allowed: caller(405, "The route does not take this method", "Use a method that the Allow header names."),
  space_not_found: caller(404, "No such space", "Create it: POST /v1/spaces."),
  function_not_found: caller(404, "function not found", "Check space and name: fnbus functions list."),
  version_not_found: caller(
    404,
    "The function has no such version",
    "List them: GET /v1/spaces/{space}/functions/{name}/versions.",
  ),
  invocation_not_found: caller(
    404,
    "No such invocation",
    "Check the id; invocations are kept as long as the settings say.",
  ),
  key_not_found: caller(404, "No such key", "List them: GET /v1/keys."),
  result_gone: caller(
    410,
    "The invocation ended, and its result is no longer held",
    "details.state says how it ended; the look-up shows the rest.",
  ),
  space_exists: caller(409, "This space already exists", "Use it, or choose another name."),
  space_not_empty: caller(409, "The space still has functions or triggers", "Delete them first."),
  function_exists: caller(409, "This function already exists", "Update it with PUT, or choose another name."),
  revision_conflict: caller(412, "It was changed meanwhile", "Read it again and repeat with its revision in If-Match."),
  invocation_ended: caller(409, "The invocation has already ended", "Look it up: its outcome stands."),
  invocation_unfinished: caller(409, "The invocation has not ended yet", "Wait for its end: ?wait=seconds."),
  not_redrivable: caller(409, "Only a dead letter can be redriven", "Look up its state."),
  envelope_gone: caller(410, "The dead letter's envelope is no longer kept", "Send the call anew."),

  // How it is asked
  invalid_json: caller(400, "The body is not valid JSON", "details.position says where it breaks."),
  invalid_request: caller(400, "The request does not fit the schema", "details names each field that is wrong."),
  invalid_header: caller(400, "A header has characters that are not allowed", "Use visible ASCII, one line a header."),
  headers_too_large: caller(431, "Too many or too large headers", "At most 100 lines and 32 kB together."),
  uri_too_long: caller(414, "The path or the query is too long", "Put the data in the body."),
  body_too_large: caller(
    413,
    "The body is over the limit",
    "details.limitBytes is the limit; send a reference to larger data.",
  ),
  content_encoding_unsupported: caller(
    415,
    "Encoded request bodies are not taken",
    "Send the body without Content-Encoding.",
  ),
  media_type_unsupported: caller(
    415,
    "The route does not take this content type",
    "Send application/json, or application/zip for code.",
  ),
  request_timeout: caller(408, "The request did not arrive in time", "Send it faster, or in smaller parts."),
  callback_url_invalid: caller(400, "X-Callback-Url is not an http or https URL", "Send an absolute http(s) URL."),
  callback_url_credentials: caller(
    400,
    "X-Callback-Url holds credentials",
    "Remove user and password; callbacks are signed.",
  ),
  callback_url_forbidden: caller(
    400,
    "X-Callback-Url names an address that callbacks may not reach",
    "Use a public address, or allow it: FNBUS_CALLBACK_ALLOW.",
  ),
  idempotency_key_invalid: caller(
    400,
    "Idempotency-Key is empty, doubled or too long",
    "Send one header of 1 to 255 visible characters.",
  ),
  idempotency_conflict: caller(422, "The key was used with another body", "Use a new key for a new request."),

  // Functions that are deployed
  runtime_unknown: caller(422, "Unknown runtime", "Use nodejs or python."),
  handler_invalid: caller(422, "The handler is not file.function", "For example index.handler."),
  handler_missing: caller(
    422,
    "The code has no such handler",
    "details names the file or the export that was looked for.",
  ),
  source_invalid: caller(422, "The source does not parse", "details.line says where."),
  code_missing: caller(422, "No code was sent", "Send a ZIP, or inline source."),
  zip_invalid: caller(422, "The archive is not a ZIP file, or is damaged", "Make it anew."),
  zip_path_unsafe: caller(
    422,
    "The archive holds a path that leaves its folder",
    "Remove entries with .. or a leading slash.",
  ),
  zip_symlink: caller(422, "The archive holds a symbolic link", "Replace links by the files."),
  zip_too_large: caller(
    413,
    "The archive is too large, packed or unpacked",
    "At most 50 MB packed, 250 MB and 10,000 files unpacked.",
  ),
  limit_out_of_range: caller(422, "A limit is outside what is possible", "details gives the range."),
  isolation_unavailable: row(
    409,
    "platform",
    "no",
    "No executor can isolate functions as this one demands",
    "See fnbus doctor, or set isolation to any.",
  ),
  function_not_ready: row(202, "platform", "later", "function not ready", "Wait until its status is Running."),

  // Limits that were hit before anything was accepted
  rate_limited: row(429, "caller", "later", "The key is over its rate", "Wait as Retry-After says."),
  concurrency_limited: row(
    429,
    "caller",
    "later",
    "The function runs as often at once as it may",
    "Wait as Retry-After says, raise its concurrency, or call it asynchronously.",
  ),
  function_backlog_full: row(
    429,
    "caller",
    "later",
    "Too many invocations of the function wait",
    "Wait as Retry-After says, or raise its concurrency.",
  ),
  backlog_full: later(503, "Too many invocations wait", "Wait as Retry-After says; add executors."),
  overloaded: later(503, "The service is overloaded", "Wait as Retry-After says; add replicas."),
  kept_keys_full: later(
    503,
    "Too many idempotency keys are kept",
    "Wait as Retry-After says; keys are never forgotten early.",
  ),
  stopping: later(503, "The service is stopping", "Repeat at once: another replica answers."),

  // What the platform could not do
  no_executor: later(
    503,
    "No executor serves this function now",
    "Check that an executor of its pool runs: fnbus doctor.",
  ),
  broker_unavailable: later(503, "The message broker does not answer", "Repeat with the same Idempotency-Key."),
  accept_unknown: row(
    503,
    "platform",
    "same-key",
    "Whether the call was accepted is not known",
    "Repeat with the same Idempotency-Key: it cannot run twice.",
  ),
  storage_full: later(503, "The log of invocations is full", "Wait as Retry-After says; raise the stream's size."),
  verdict_missing: row(
    503,
    "platform",
    "same-key",
    "The ledger did not judge the key in time",
    "Repeat with the same Idempotency-Key: it cannot run twice.",
  ),
  ledger_unavailable: later(503, "The ledger does not answer", "Repeat; check that a ledger runs."),
  callbacks_unavailable: later(
    503,
    "The callback dispatcher does not answer",
    "Repeat; check that a callback-dispatcher runs.",
  ),
  store_unavailable: later(503, "The object store does not answer", "Repeat later."),
  deadline_exceeded: row(
    504,
    "platform",
    "later",
    "No answer before the call's deadline",
    "Call it asynchronously, or give it more time.",
  ),
  executor_lost: later(
    502,
    "The executor was lost while the function ran",
    "Repeat; asynchronous calls are repeated by the platform.",
  ),
  runner_failed: later(502, "The function's process could not be started", "See the executor's log."),
  instance_lost: later(
    502,
    "The function's instance was stopped under the call",
    "Repeat; asynchronous calls are repeated by the platform. Another call of the instance ran over its time.",
  ),
  code_unavailable: later(502, "The function's code could not be fetched", "Check the object store; deploy again."),
  function_deleted: row(410, "platform", "no", "function deleted", "Deploy it again and send the call anew."),
  expired: row(
    504,
    "platform",
    "no",
    "The invocation waited longer than it may",
    "Raise its maximum age, or add executors.",
  ),
  cancelled: row(409, "caller", "no", "The invocation was cancelled", "Send it anew."),
  envelope_invalid: row(
    500,
    "platform",
    "no",
    "A message on the bus is damaged",
    "Report it: it is kept as a give-up record.",
  ),
  envelope_version: row(
    500,
    "platform",
    "no",
    "A message of a version that is not known here",
    "Update this service first.",
  ),
  position_refused: row(
    409,
    "platform",
    "no",
    "The position does not follow the ledger's mark",
    "Cut the batch anew from details.mark.",
  ),
  internal: row(500, "platform", "later", "Internal error", "See the service's log."),

  ...runErrors,
  ...triggerErrors,
} as const satisfies Record<string, ErrorRow>;
