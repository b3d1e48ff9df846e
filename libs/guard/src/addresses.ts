import ipaddr from "ipaddr.js";

type Network = [address: ipaddr.IPv4 | ipaddr.IPv6, bits: number];

const parse = (cidrs: string[]): Network[] => cidrs.map((cidr) => ipaddr.parseCIDR(cidr) as Network);

/** Not the public internet (IANA special-purpose registries), and addresses of cloud metadata services. */
const forbidden4 = parse([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "168.63.129.16/32",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
]);
/** Of IPv6 only global unicast is public; these parts of it are not (Teredo, documentation, 6to4, protocol assignments). */
const public6 = parse(["2000::/3"]);
const forbidden6 = parse(["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]);
const loopback = parse(["127.0.0.0/8", "::1/128"]);

const isIn = (address: ipaddr.IPv4 | ipaddr.IPv6, networks: readonly Network[]): boolean =>
  networks.some(([network, bits]) => network.kind() === address.kind() && address.match([network, bits] as never));

/** The address itself: `::ffff:a.b.c.d` is a way to write an IPv4 address, and is judged as that. undefined: no address. */
const toAddress = (text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined =>
  ipaddr.isValid(text) ? ipaddr.process(text) : undefined;

/** Whether an address literal belongs to the public internet, judged by its bytes. */
export function isPublicAddress(text: string): boolean {
  const address = toAddress(text);
  if (!address) return false;
  return address.kind() === "ipv4" ? !isIn(address, forbidden4) : isIn(address, public6) && !isIn(address, forbidden6);
}

export const isLoopback = (text: string): boolean => {
  const address = toAddress(text);
  return address !== undefined && isIn(address, loopback);
};

/** Splits an allow-list into networks and host names. An address alone is its own network. */
export function parseAllowList(list: readonly string[]): { names: Set<string>; contains(address: string): boolean } {
  const names = new Set<string>();
  const networks: Network[] = [];
  for (const text of list.map((item) => item.trim().toLowerCase()).filter((item) => item !== "")) {
    if (text.includes("/")) networks.push(...parse([text]));
    else if (ipaddr.isValid(text)) networks.push([ipaddr.process(text), text.includes(":") ? 128 : 32]);
    else names.add(text.replace(/\.$/, ""));
  }
  return {
    names,
    contains(text) {
      const address = toAddress(text);
      return address !== undefined && isIn(address, networks);
    },
  };
}
