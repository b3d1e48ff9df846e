import { type ConnectionOptions, createSecureContext } from "node:tls";
import { FnbusError, type TlsConfig } from "@fnbus/contract";

/** Throws, without a word of them, where certificate and key cannot be used: Node would leave one alone out silently. */
function checkCertificate({ certificate: cert, key }: TlsConfig): void {
  const refuse = (message: string) => new FnbusError("source_tls_failed", message);
  if ((cert === undefined) !== (key === undefined))
    throw refuse("tls.certificate and tls.key are of use together only");
  const check = (message: string, options: ConnectionOptions) => {
    try {
      createSecureContext(options);
    } catch {
      throw refuse(message);
    }
  };
  if (cert === undefined || key === undefined) return;
  check("tls.certificate is no certificate in PEM", { cert });
  check("tls.key is no key in PEM, or is encrypted", { key });
  check("tls.key is not the key of tls.certificate", { cert, key });
}

/** A trigger's TLS settings as Node takes them. */
export function toTlsOptions(tls: TlsConfig): ConnectionOptions {
  checkCertificate(tls);
  return {
    ...(tls.ca !== undefined && { ca: tls.ca }),
    ...(tls.certificate !== undefined && { cert: tls.certificate }),
    ...(tls.key !== undefined && { key: tls.key }),
    ...(tls.serverName !== undefined && { servername: tls.serverName }),
    rejectUnauthorized: tls.verify ?? true,
  };
}
