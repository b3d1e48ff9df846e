import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate of 127.0.0.1 that is its own authority, and its key; PEM. */
export function makeCertificate(): { certificate: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), "fnbus-tls-"));
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const whose = ["-subj", "/CN=broker", "-addext", "subjectAltName=IP:127.0.0.1"];
  const files = ["-keyout", "key.pem", "-out", "certificate.pem"];
  execFileSync("openssl", ["req", "-x509", ...kind, ...whose, ...files], { cwd: folder, stdio: "pipe" });
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  const made = { certificate: read("certificate.pem"), key: read("key.pem") };
  rmSync(folder, { recursive: true });
  return made;
}
