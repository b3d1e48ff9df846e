import { lookup as lookupName } from "node:dns";
import { BlockList, isIP, isIPv6, type LookupFunction } from "node:net";
import { FnbusError } from "@fnbus/contract";
import { createAddressGuard } from "@fnbus/guard";

/**
 * Which brokers triggers may name. Brokers stand in private networks as often as not, so these are allowed; what no broker is
 * (link-local, metadata services of clouds, multicast) is not, nor is this machine unless told.
 */
export interface BrokerGuard {
  /** Without I/O: throws `broker_address_invalid` (scheme, path, blanks), `broker_address_forbidden` (an address in digits). */
  checkHost(host: string): void;
  /**
   * For `lookup` of net.connect and tls.connect: the addresses checked are those connected to, and one forbidden address
   * forbids the name. Addresses in digits never come here: `checkHost` judges them.
   */
  lookup: LookupFunction;
  isAllowed(address: string): boolean;
}

export interface BrokerGuardOptions {
  /** CIDRs, addresses and host names that are allowed although the rule forbids them. A listed name may resolve to anything. */
  allow: readonly string[];
  allowLoopback: boolean;
}

const privateNetworks: readonly [string, number][] = [
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["fc00::", 7],
];
/** Of clouds, inside of private networks: Alibaba, AWS, Google. */
const metadataAddresses = ["100.100.100.200", "fd00:ec2::254", "fd20:ce::254"];

const familyOf = (address: string): "ipv4" | "ipv6" => (isIPv6(address) ? "ipv6" : "ipv4");

function listNetworks(): (address: string) => boolean {
  const networks = new BlockList();
  for (const [address, bits] of privateNetworks) networks.addSubnet(address, bits, familyOf(address));
  const metadata = new BlockList();
  for (const address of metadataAddresses) metadata.addAddress(address, familyOf(address));
  return (address) =>
    isIP(address) !== 0 && networks.check(address, familyOf(address)) && !metadata.check(address, familyOf(address));
}

/** Throws where an entry of `allow` with a slash is no CIDR. */
export function createBrokerGuard({ allow, allowLoopback }: BrokerGuardOptions): BrokerGuard {
  const guard = createAddressGuard({ allow, allowLoopback });
  const names = new Set(allow.map((entry) => entry.trim().toLowerCase()));
  const isPrivate = listNetworks();
  const isAllowed = (address: string) => guard.isAllowed(address) || isPrivate(address);
  const refuse = (what: string) => new FnbusError("broker_address_forbidden", `no broker may be reached at ${what}`);
  return {
    isAllowed,
    checkHost(host) {
      if (host === "" || /[\s/\\@?#\p{Cc}]/u.test(host) || (host.includes(":") && isIP(host) === 0))
        throw new FnbusError("broker_address_invalid", "a host without scheme, port and path");
      if (isIP(host) !== 0 && !isAllowed(host)) throw refuse(host);
    },
    lookup(name, options, callback) {
      lookupName(name, { all: true, family: options.family ?? 0 }, (error, list) => {
        if (error) return callback(error, "", 0);
        const bad = names.has(name.toLowerCase()) ? undefined : list.find(({ address }) => !isAllowed(address));
        if (bad) return callback(refuse(`${name} (${bad.address})`), "", 0);
        if (options.all) return callback(null, list);
        callback(null, list[0]!.address, list[0]!.family);
      });
    },
  };
}
