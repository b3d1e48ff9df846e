import type { ArgsDef } from "citty";
import { UsageError } from "./exit-codes.ts";
import { didYouMean } from "./suggest.ts";

/** The values of an option that may stand more than once: `--env A=1 --env=B=2 -e C=3`. */
export function readRepeated(argv: readonly string[], ...names: string[]): string[] {
  const values: string[] = [];
  for (let index = 0; index < argv.length && argv[index] !== "--"; index++) {
    const [name, ...rest] = argv[index]!.split("=");
    if (!names.includes(name!)) continue;
    const value = rest.length > 0 ? rest.join("=") : argv[++index];
    if (value === undefined) throw new UsageError(`${name} needs a value`);
    values.push(value);
  }
  return values;
}

/** `["A=1", "B=x=y"]` as an object. Throws UsageError for one without the sign. */
export function readPairs(texts: readonly string[], sign: "=" | ":", option: string): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf(sign);
      if (at < 1) throw new UsageError(`${option} takes name${sign}value, not "${text}"`);
      return [text.slice(0, at).trim(), sign === ":" ? text.slice(at + 1).trim() : text.slice(at + 1)];
    }),
  );
}

/** Throws UsageError for an option that the command does not have, and for positional arguments beyond its own. */
export function checkOptions(argv: readonly string[], args: ArgsDef, positionals: readonly string[]): void {
  const known = Object.entries(args).flatMap(([name, { type, ...rest }]) =>
    type === "positional" ? [] : [name, ...[(rest as { alias?: string | string[] }).alias ?? []].flat()],
  );
  const end = argv.indexOf("--");
  for (const text of end < 0 ? argv : argv.slice(0, end)) {
    if (!/^-{1,2}[a-z]/i.test(text)) continue;
    const name = text.replace(/^-+/, "").split("=")[0]!;
    const short = !text.startsWith("--") && known.includes(name[0]!);
    if (short || known.includes(name) || (name.startsWith("no-") && known.includes(name.slice(3)))) continue;
    const guess = didYouMean(
      name,
      known.filter((one) => one.length > 1),
    ).replace('"', '"--');
    throw new UsageError(`Unknown option ${text.split("=")[0]}.${guess}`);
  }
  const expected = Object.values(args).filter(({ type }) => type === "positional").length;
  if (positionals.length > expected) throw new UsageError(`Unexpected argument "${positionals[expected]}"`);
}

/** A number of an option. Throws UsageError. */
export function readNumber(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number) || number < 0)
    throw new UsageError(`${option} takes a number, not "${text}"`);
  return number;
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** "500ms", "30s", "2m" or "30" (seconds) in milliseconds. Throws UsageError. */
export function readDurationMs(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  if (!match) throw new UsageError(`${option} takes a time such as 500ms, 30s or 2m, not "${text}"`);
  return Number(match[1]) * units[(match[2] ?? "s") as keyof typeof units];
}
