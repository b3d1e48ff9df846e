import type { ConnectionOptions } from "node:tls";
import type { TlsConfig } from "@fnbus/contract";

/** A trigger's TLS settings as Node takes them. */
export const toTlsOptions = (tls: TlsConfig): ConnectionOptions => ({
  ...(tls.ca !== undefined && { ca: tls.ca }),
  ...(tls.certificate !== undefined && { cert: tls.certificate }),
  ...(tls.key !== undefined && { key: tls.key }),
  ...(tls.serverName !== undefined && { servername: tls.serverName }),
  rejectUnauthorized: tls.verify ?? true,
});
