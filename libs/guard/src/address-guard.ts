import { type LookupAddress, lookup as lookupName } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { FnbusError, limits } from "@fnbus/contract";
import { isLoopback, isPublicAddress, parseAllowList } from "./addresses.ts";
import { isAllowedPort } from "./ports.ts";
import type { AddressGuard } from "./types.ts";

export interface AddressGuardOptions {
  /** CIDRs, addresses or host names that may be called although they are not public. A listed name may resolve to anything. */
  allow: readonly string[];
  /** 127.0.0.0/8 and ::1: for a platform on one machine alone. */
  allowLoopback?: boolean;
  /** Instead of the default rule (80, 443, 1024 and up without ports of known services). */
  ports?: readonly number[];
  /** All addresses of a name. The system's resolver (with its hosts file) unless told otherwise. */
  resolve?: (name: string) => Promise<LookupAddress[]>;
}

/** A resolver that does not answer is given up, so that the request's own deadline is not spent on it. */
const RESOLVE_TIMEOUT_MS = 5_000;
/** Names in question at once; those of servers that do not answer stay for half a minute (I11). */
const MAX_RESOLVING = 1_000;

const refuse = (why: string): FnbusError => new FnbusError("callback_url_forbidden", why);
const resolveBySystem = (name: string): Promise<LookupAddress[]> =>
  new Promise((resolve, reject) =>
    lookupName(name, { all: true }, (error, list) => (error ? reject(error) : resolve(list))),
  );
/** `[::1]` and `name.` as a resolver and an address parser want them. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");

/** Builds the guard of RELIABILITY.md 2.11. Throws where an entry of `allow` with a slash is no CIDR. */
export function createAddressGuard(options: AddressGuardOptions): AddressGuard {
  const allowed = parseAllowList(options.allow);
  const resolving = new Map<string, Promise<LookupAddress[]>>();

  const isAllowed = (address: string): boolean =>
    isPublicAddress(address) || (options.allowLoopback === true && isLoopback(address)) || allowed.contains(address);

  /** One question a name at a time: the system's resolver has four threads, and a name that hangs may hold only one. */
  function resolveOnce(name: string): Promise<LookupAddress[]> {
    const known = resolving.get(name);
    if (known) return known;
    if (resolving.size >= MAX_RESOLVING)
      return Promise.reject(Object.assign(new Error("too many names are being looked up"), { code: "EBUSY" }));
    const asked = (options.resolve ?? resolveBySystem)(name).finally(() => resolving.delete(name));
    resolving.set(name, asked);
    return asked;
  }

  /** All addresses of a name, or a refusal when one of them is forbidden: a mixed answer is an attack or a mistake. */
  async function resolveAllowed(name: string, timeoutMs: number): Promise<LookupAddress[]> {
    const list = await inTime(resolveOnce(name), timeoutMs);
    const bad = allowed.names.has(name.toLowerCase()) ? undefined : list.find((entry) => !isAllowed(entry.address));
    if (bad) throw refuse(`${name} is ${bad.address}, which callbacks may not reach`);
    return list;
  }

  const lookup: LookupFunction = (name, lookupOptions, callback) => {
    resolveAllowed(name.replace(/\.$/, ""), RESOLVE_TIMEOUT_MS).then(
      (list) => {
        const first = list[0];
        if (!first) return callback(Object.assign(new Error(`${name} has no address`), { code: "ENOTFOUND" }), "", 0);
        if (lookupOptions.all) return callback(null, list);
        callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, "", 0),
    );
  };

  return {
    isAllowed,
    lookup,
    checkUrl(text) {
      const url = parseUrl(text);
      const host = hostOf(url);
      if (!isAllowedPort(url, options.ports)) throw refuse(`port ${url.port} is not for callbacks`);
      // A literal never reaches `lookup`: it is judged here.
      if (isIP(host) !== 0 && !isAllowed(host)) throw refuse(`${host} is not an address that callbacks may reach`);
      return url;
    },
    async checkHost(url, timeoutMs) {
      const host = hostOf(url);
      if (isIP(host) !== 0) return;
      try {
        await resolveAllowed(host, timeoutMs);
      } catch (error) {
        if (error instanceof FnbusError) throw error;
      }
    },
  };
}

function parseUrl(text: string): URL {
  if (Buffer.byteLength(text) > limits.callbackUrlBytes)
    throw new FnbusError("callback_url_invalid", `longer than ${limits.callbackUrlBytes} bytes`);
  // `new URL` drops tabs and line ends silently, so two readers of the text could see two hosts.
  if (!/^https?:\/\/[^\s/\\]/i.test(text) || /[\s\\\p{Cc}]/u.test(text) || !URL.canParse(text))
    throw new FnbusError("callback_url_invalid");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "" || /^https?:\/\/[^/?#]*@/i.test(text))
    throw new FnbusError("callback_url_credentials");
  if (url.port === "0") throw new FnbusError("callback_url_invalid", "port 0");
  return url;
}

function inTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => timeout.reject(Object.assign(new Error("no answer to the name's look-up"), { code: "ETIMEOUT" })),
    timeoutMs,
  );
  return Promise.race([work, timeout.promise]).finally(() => clearTimeout(timer));
}
