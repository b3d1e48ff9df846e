import { type ErrorCode, FnbusError } from "@fnbus/contract";

/** What went wrong with a broker, as the trigger's report says it. */
export interface BrokerFault {
  code: ErrorCode;
  message: string;
}

/** Of Node's own errors: the broker's certificate, or no TLS at the other end. */
const TLS_CODES =
  /^(ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|EPROTO$|ERR_OSSL_)/;
const NETWORK_CODES = /^(ECONN|EHOST|ENET|ENOTFOUND|EAI_|ETIMEDOUT|EPIPE|PLT_KFK_NETWORK|PLT_KFK_TIMEOUT)/;
/** The broker's verdict on the certificate of its client, as a TLS alert. */
const REFUSED_CERTIFICATE = /_ALERT_.*(CERTIFICATE|UNKNOWN_CA)/;
const MAX_MESSAGE = 500;

type Thrown = Error & { code?: unknown; apiId?: unknown; errors?: unknown; reason?: unknown };

/** An error, and all that it was made of. */
function* parts(error: unknown, depth = 0): Iterable<Thrown> {
  if (!(error instanceof Error) || depth > 8) return;
  yield error;
  for (const one of Array.isArray((error as Thrown).errors) ? ((error as Thrown).errors as unknown[]) : [])
    yield* parts(one, depth + 1);
  yield* parts(error.cause, depth + 1);
}

const textOf = (error: Thrown): string => error.message.slice(0, MAX_MESSAGE) || String(error.code ?? error.name);

/** Kafka's error names, by what can be done about them. */
const kafkaCodes: readonly [RegExp, ErrorCode][] = [
  [/^(SASL_AUTHENTICATION_FAILED|UNSUPPORTED_SASL_MECHANISM|ILLEGAL_SASL_STATE)$/, "source_unauthorized"],
  [/^(TOPIC|GROUP|CLUSTER)_AUTHORIZATION_FAILED$/, "subscription_refused"],
  [/^UNKNOWN_TOPIC_(OR_PARTITION|ID)$/, "source_topic_missing"],
  [/^(COORDINATOR_|LEADER_NOT_AVAILABLE|NOT_LEADER|BROKER_NOT_AVAILABLE|NETWORK_EXCEPTION)/, "source_unreachable"],
];

/** What an error of a client library, or of the network below it, means for the trigger. */
export function toBrokerFault(thrown: unknown): BrokerFault {
  const found = [...parts(thrown)];
  const ours = found.find((error) => error instanceof FnbusError);
  if (ours instanceof FnbusError) return { code: ours.code, message: ours.message };
  const by = (test: (error: Thrown) => boolean, code: ErrorCode): BrokerFault | undefined => {
    const error = found.find(test);
    return error && { code, message: code === "source_unauthorized" ? "Not Authorized" : textOf(error) };
  };
  const codeOf = (error: Thrown) => String(error.code ?? "");
  const ofKafka = kafkaCodes
    .map(([pattern, code]) => by((error) => pattern.test(String(error.apiId ?? "")), code))
    .find((fault) => fault !== undefined);
  const refusal = found.find((error) => REFUSED_CERTIFICATE.test(codeOf(error)));
  if (refusal) {
    const message = `the broker asks for a certificate that it trusts (tls.certificate): ${refusal.reason ?? codeOf(refusal)}`;
    return { code: "source_tls_failed", message };
  }
  return (
    by((error) => codeOf(error) === "PLT_KFK_AUTHENTICATION", "source_unauthorized") ??
    ofKafka ??
    by((error) => TLS_CODES.test(codeOf(error)) || /TLS/.test(error.message), "source_tls_failed") ??
    by((error) => NETWORK_CODES.test(codeOf(error)), "source_unreachable") ?? {
      code: "source_failed",
      message: found[0] ? textOf(found[0]) : "unknown",
    }
  );
}
