import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { findBinaries, findBinary } from "./find-binary.ts";

const VERSION = "4.1.0";
const MAVEN_MS = 300_000;

const folder = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "fnbus-test", `kafka-${VERSION}`);

/** Why no Kafka can be started on this machine; undefined: it can. */
export function whyNoKafka(): string | undefined {
  if (findBinaries("java").length === 0) return "java was not found (Debian: default-jdk-headless)";
  if (!existsSync(folder()) && findBinaries("mvn").length === 0) return "mvn was not found (Debian: maven)";
  return undefined;
}

const dependency = (group: string, artifact: string, version: string): string =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;

/** Apache Kafka's own jars, from Maven Central the first time. */
export function findJars(): string {
  const jars = folder();
  if (existsSync(jars)) return jars;
  mkdirSync(join(jars, ".."), { recursive: true });
  const work = mkdtempSync(`${jars}-`);
  const kafka = ["kafka_2.13", "kafka-server", "kafka-tools"].map((name) =>
    dependency("org.apache.kafka", name, VERSION),
  );
  writeFileSync(
    join(work, "pom.xml"),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>fnbus</groupId>
<artifactId>kafka</artifactId><version>1</version>
<dependencies>${kafka.join("")}${dependency("org.slf4j", "slf4j-simple", "1.7.36")}</dependencies></project>`,
  );
  const goal = ["dependency:copy-dependencies", `-DoutputDirectory=${join(work, "jars")}`];
  execFileSync(findBinary("mvn"), ["-q", "-B", ...goal], { cwd: work, timeout: MAVEN_MS, stdio: "pipe" });
  try {
    renameSync(join(work, "jars"), jars);
  } catch (error) {
    // Another test's process was faster.
    if (!existsSync(jars)) throw error;
  }
  rmSync(work, { recursive: true, force: true });
  return jars;
}
