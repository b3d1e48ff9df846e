import { readFileSync } from "node:fs";
import Type, { type Static, type TObject, type TProperties } from "typebox";
import { Value } from "typebox/value";

export type Variables = Readonly<Record<string, string | undefined>>;

/** Every fault of the environment at once: variable, what was found, what is expected. */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length} fault${faults.length === 1 ? "" : "s"}:\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
    );
    this.name = "ConfigError";
    this.faults = faults;
  }
}

/** A property whose schema carries `secret: true` is never shown in a fault. */
const isSecret = (schema: object): boolean => (schema as { secret?: boolean }).secret === true;

/**
 * Reads one frozen object from the environment. The schema's property names are the variables' names
 * (`FNBUS_PORT`), each a string, number, integer or boolean, with `default` where it may be missing.
 * `NAME_FILE` names a file whose text, less the last newline, is the value: for secrets.
 * Throws ConfigError with all faults.
 */
export function readConfig<P extends TProperties>(
  schema: TObject<P>,
  variables: Variables,
): Readonly<Static<TObject<P>>> {
  const found: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [name, property] of Object.entries(schema.properties)) {
    try {
      const text = readVariable(name, variables);
      if (text !== undefined) found[name] = toTyped(text, property);
    } catch (error) {
      faults.push(`${name}: ${(error as Error).message}`);
    }
  }
  const filled = Value.Default(Type.Object(schema.properties), found) as Record<string, unknown>;
  for (const error of Value.Errors(schema, filled)) {
    const missing =
      error.keyword === "required" ? (error.params as { requiredProperties: string[] }).requiredProperties : [];
    for (const name of missing)
      if (!faults.some((fault) => fault.startsWith(`${name}:`)))
        faults.push(`${name}: not set. ${describe(schema.properties[name])}`);
    if (missing.length > 0) continue;
    const name = error.instancePath.slice(1).split("/")[0] ?? "";
    const property = schema.properties[name];
    const shown = property && isSecret(property) ? "a value" : JSON.stringify(filled[name]);
    faults.push(`${name}: found ${shown}, which ${error.message}. ${describe(property)}`);
  }
  if (faults.length > 0) throw new ConfigError([...new Set(faults)]);
  return Object.freeze(filled) as Readonly<Static<TObject<P>>>;
}

function readVariable(name: string, variables: Variables): string | undefined {
  const direct = variables[name];
  const file = variables[`${name}_FILE`];
  if (direct !== undefined && direct !== "" && file) throw new Error(`set, and ${name}_FILE too: set one of them`);
  if (!file) return direct === "" ? undefined : direct;
  try {
    return readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw new Error(`${name}_FILE cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function toTyped(text: string, schema: object): unknown {
  const { type } = schema as { type?: string };
  if (type === "integer" || type === "number") {
    const number = Number(text);
    return text.trim() === "" || Number.isNaN(number) ? text : number;
  }
  if (type === "boolean")
    return ["1", "true", "yes", "on"].includes(text) ? true : ["0", "false", "no", "off"].includes(text) ? false : text;
  return text;
}

function describe(schema: object | undefined): string {
  const { type, description, minimum, maximum } = (schema ?? {}) as {
    type?: string;
    description?: string;
    minimum?: number;
    maximum?: number;
  };
  const range = minimum === undefined && maximum === undefined ? "" : `, ${minimum ?? ""}..${maximum ?? ""}`;
  return `Expected: ${type ?? "a value"}${range}${description ? ` (${description})` : ""}.`;
}
