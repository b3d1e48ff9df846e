import { FnbusError } from "@fnbus/contract";

/** Umbrella events and what each includes (functiongraph-event-sources.txt, table 1). */
const families = {
  ObjectCreated: ["Put", "Post", "Copy", "CompleteMultipartUpload"],
  ObjectRemoved: ["Delete", "DeleteMarkerCreated"],
} as const;
type Family = keyof typeof families;

const isFamily = (text: string): text is Family => Object.hasOwn(families, text);
const everyOf = (family: Family): string[] => families[family].map((name) => `${family}:${name}`);
const allNames = Object.keys(families).flatMap((family) => everyOf(family as Family));

/** The events that a trigger may be told, in their shortest form. */
const knownEvents: readonly string[] = Object.entries(families).flatMap(([family, names]) => [family, ...names]);

/** The full names that one filter stands for: "s3:ObjectCreated:*", "ObjectCreated:Put", "Put"; none: unknown. */
function toNames(filter: string): string[] {
  const [family = "", name, ...more] = filter.replace(/^s3:/, "").split(":");
  if (more.length > 0) return [];
  if (name === undefined)
    return isFamily(family) ? everyOf(family) : allNames.filter((one) => one.endsWith(`:${family}`));
  if (!isFamily(family)) return [];
  return name === "*" ? everyOf(family) : everyOf(family).filter((one) => one === `${family}:${name}`);
}

/**
 * The object events that a trigger takes, as full names ("ObjectCreated:Put"), umbrellas unfolded; with or without "s3:" and
 * ":*" (wire-compatibility.md 5.4). Throws `event_filter_unknown`.
 */
export function checkObsEvents(events: readonly string[]): ReadonlySet<string> {
  const taken = new Set<string>();
  for (const event of events) {
    const names = toNames(event);
    if (names.length === 0)
      throw new FnbusError("event_filter_unknown", `no object event ${JSON.stringify(event)}`, {
        details: { field: "events", event, known: knownEvents },
      });
    for (const name of names) taken.add(name);
  }
  return taken;
}
