import { FnbusError } from "@fnbus/contract";

const DAY_MS = 86_400_000;
/** A zone's offset is looked at this often; no zone has ever changed its offset twice within a week. */
const SAMPLE_MS = 7 * DAY_MS;
/** So much is looked at together. */
const REACH_MS = 400 * DAY_MS;
/** Beyond this a zone's list is begun anew: memory stays bounded whatever times are asked for. */
const MOST_MS = 60 * 366 * DAY_MS;

/** A time in which a zone's offset stays the same. Times are ms since 1970, offsets ms east of UTC. */
export interface Stretch {
  /** The clock was put forward or back at this moment, by `offset - before`; 0 where that is not known or never was. */
  from: number;
  /** Holds until then, at least. */
  until: number;
  offset: number;
  before: number;
}

export interface Zone {
  name: string;
  /** The stretch that `ms` lies in. */
  stretchAt(ms: number): Stretch;
}

const always: Stretch = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY, offset: 0, before: 0 };
const zones = new Map<string, Zone>();

function toOffsetReader(name: string): (ms: number) => number {
  let format: Intl.DateTimeFormat;
  try {
    // A bare offset would be taken too; it is no name of a zone.
    if (!/^[A-Za-z]/.test(name)) throw new RangeError(name);
    format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  } catch {
    throw new FnbusError(
      "timezone_unknown",
      `No time zone is named "${name.slice(0, 64)}": write an IANA name such as Europe/Berlin, or UTC.`,
      {
        details: { timezone: name.slice(0, 64) },
      },
    );
  }
  return (ms) => {
    const found = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(format.format(ms));
    if (!found) return 0;
    const [, sign, hours, minutes, seconds = "0"] = found;
    const offset = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
    return sign === "-" ? -offset : offset;
  };
}

/** A zone whose changes are found as they are asked for, and kept. */
function createZone(name: string): Zone {
  const offsetAt = toOffsetReader(name);
  if (/^(etc\/)?(utc|gmt|zulu|uct|universal|greenwich)$/i.test(name)) return { name, stretchAt: () => always };
  let stretches: Stretch[] = [];

  /** The moment, to the second, at which the offset is first another than at `from`. */
  const changeBetween = (from: number, to: number): number => {
    const offset = offsetAt(from);
    let [low, high] = [Math.floor(from / 1000), Math.ceil(to / 1000)];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(middle * 1000) === offset) low = middle;
      else high = middle;
    }
    return high * 1000;
  };
  const begin = (ms: number) => {
    const from = ms - REACH_MS;
    const offset = offsetAt(from);
    stretches = [{ from, until: from, offset, before: offset }];
  };
  const extend = () => {
    const end = stretches.at(-1)!.until + REACH_MS;
    let last = stretches.at(-1)!;
    for (let at = last.until; at < end; at = Math.min(at + SAMPLE_MS, end)) {
      const to = Math.min(at + SAMPLE_MS, end);
      const offset = offsetAt(to);
      if (offset !== last.offset) {
        last.until = changeBetween(at, to);
        last = { from: last.until, until: to, offset, before: last.offset };
        stretches.push(last);
      }
      last.until = to;
    }
  };
  return {
    name,
    stretchAt(ms) {
      const first = stretches[0];
      // Two days: a change shortly before the list begins would not be known.
      if (!first || ms < first.from + 2 * DAY_MS || ms > first.from + MOST_MS) begin(ms);
      while (ms >= stretches.at(-1)!.until) extend();
      let at = stretches.length - 1;
      while (ms < stretches[at]!.from) at--;
      return stretches[at]!;
    },
  };
}

/** The zone of an IANA name. Throws FnbusError `timezone_unknown`. */
export function toZone(name: string): Zone {
  const known = zones.get(name);
  if (known) return known;
  const zone = createZone(name);
  // IANA names about six hundred; other spellings of them are not kept without end.
  if (zones.size >= 2000) zones.clear();
  zones.set(name, zone);
  return zone;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** RFC 3339 in the zone, without fractions of a second: "2018-06-01T08:30:00+08:00"; "Z" for UTC. */
export function toZonedTime(ms: number, timezone: string): string {
  const { offset } = toZone(timezone).stretchAt(ms);
  const local = new Date(ms + offset).toISOString().slice(0, 19);
  if (offset === 0) return `${local}Z`;
  const minutes = Math.round(Math.abs(offset) / 60_000);
  return `${local}${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
