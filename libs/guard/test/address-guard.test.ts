import type { LookupAddress } from "node:dns";
import { FnbusError } from "@fnbus/contract";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { createAddressGuard } from "../src/index.ts";

const guard = createAddressGuard({ allow: [] });
const codeOf = (action: () => unknown): string | undefined => {
  try {
    action();
  } catch (error) {
    return error instanceof FnbusError ? error.code : String(error);
  }
  return undefined;
};

const forbiddenHosts = [
  ["loopback", "127.0.0.1"],
  ["loopback, any of its net", "127.255.1.2"],
  ["decimal", "2130706433"],
  ["hexadecimal", "0x7f000001"],
  ["octal parts", "0177.0.0.1"],
  ["octal whole", "017700000001"],
  ["short", "127.1"],
  ["short with hexadecimal", "0x7f.1"],
  ["trailing dot", "127.0.0.1."],
  ["unicode digits", "①②⑦.⓪.⓪.①"],
  ["full-width digits", "１２７．０．０．１"],
  ["percent-encoded", "%31%32%37.0.0.1"],
  ["this network", "0.0.0.0"],
  ["private 10", "10.1.2.3"],
  ["private 172.16", "172.31.255.255"],
  ["private 192.168", "192.168.0.1"],
  ["carrier-grade NAT", "100.64.0.1"],
  ["metadata, link-local", "169.254.169.254"],
  ["metadata, Azure", "168.63.129.16"],
  ["metadata, Alibaba", "100.100.100.200"],
  ["metadata, Oracle", "192.0.0.192"],
  ["documentation", "192.0.2.1"],
  ["6to4 relay", "192.88.99.1"],
  ["benchmarks", "198.19.0.1"],
  ["multicast", "224.0.0.1"],
  ["broadcast", "255.255.255.255"],
  ["v6 unspecified", "[::]"],
  ["v6 loopback", "[::1]"],
  ["v6 mapped, dotted", "[::ffff:127.0.0.1]"],
  ["v6 mapped, hexadecimal", "[::ffff:7f00:1]"],
  ["v6 compatible", "[::127.0.0.1]"],
  ["v6 compatible, public inside", "[::8.8.8.8]"],
  ["NAT64", "[64:ff9b::7f00:1]"],
  ["NAT64, local", "[64:ff9b:1::a00:1]"],
  ["discard", "[100::1]"],
  ["Teredo", "[2001::1]"],
  ["documentation v6", "[2001:db8::1]"],
  ["documentation v6, new", "[3fff::1]"],
  ["6to4", "[2002:7f00:1::]"],
  ["segment routing", "[5f00::1]"],
  ["unique local", "[fd00::1]"],
  ["link-local v6", "[fe80::1]"],
  ["site-local v6", "[fec0::1]"],
  ["multicast v6", "[ff02::1]"],
];

describe("literals", () => {
  it.each(forbiddenHosts)("%s is refused: %s", (_, host) => {
    expect(codeOf(() => guard.checkUrl(`http://${host}/hook`))).toBe("callback_url_forbidden");
  });

  it.each(["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "[2606:4700:4700::1111]", "[2a00:1450::1]"])(
    "a public address passes: %s",
    (host) => {
      expect(guard.checkUrl(`https://${host}/hook`).pathname).toBe("/hook");
    },
  );

  it("no way to write an IPv4 address changes the judgement of it", () => {
    const writings = (bytes: number[]): string[] => {
      const [a, b, c, d] = bytes as [number, number, number, number];
      const whole = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
      const hex = (n: number) => n.toString(16);
      return [
        String(whole),
        `0x${hex(whole)}`,
        `0${whole.toString(8)}`,
        bytes.map((byte) => `0x${hex(byte)}`).join("."),
        bytes.map((byte) => `0${byte.toString(8)}`).join("."),
        `${a}.${(b << 16) | (c << 8) | d}`,
        `${a}.${b}.${(c << 8) | d}`,
        `[::ffff:${bytes.join(".")}]`,
        `[::ffff:${hex((a << 8) | b)}:${hex((c << 8) | d)}]`,
      ];
    };
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.tuple(byte, byte, byte, byte), (bytes) => {
        const plain = codeOf(() => guard.checkUrl(`http://${bytes.join(".")}/`));
        for (const host of writings(bytes))
          expect(
            codeOf(() => guard.checkUrl(`http://${host}/`)),
            host,
          ).toBe(plain);
      }),
    );
  });

  it("an IPv6 address passes only when ipaddr.js calls it unicast too", () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        if (guard.isAllowed(address)) expect(ipaddr.process(address).range()).toBe("unicast");
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("URLs", () => {
  it.each([
    ["no URL", "hook", "callback_url_invalid"],
    ["relative", "//example.com/hook", "callback_url_invalid"],
    ["another scheme", "ftp://example.com/", "callback_url_invalid"],
    ["a file", "file:///etc/passwd", "callback_url_invalid"],
    ["no host", "http:///hook", "callback_url_invalid"],
    ["one slash", "http:/example.com", "callback_url_invalid"],
    ["a line end inside", "http://exam\nple.com/", "callback_url_invalid"],
    ["a backslash", "http://example.com\\@127.0.0.1/", "callback_url_invalid"],
    ["a space", "http://example.com/a b", "callback_url_invalid"],
    ["too long", `http://example.com/${"a".repeat(2048)}`, "callback_url_invalid"],
    ["port 0", "http://example.com:0/", "callback_url_invalid"],
    ["a port beyond 65535", "http://example.com:65536/", "callback_url_invalid"],
    ["user and password", "http://user:password@example.com/", "callback_url_credentials"],
    ["an empty user", "http://@example.com/", "callback_url_credentials"],
    ["mail", "http://example.com:25/", "callback_url_forbidden"],
    ["Redis", "http://example.com:6379/", "callback_url_forbidden"],
    ["NATS", "http://example.com:4222/", "callback_url_forbidden"],
    ["SSH", "http://example.com:22/", "callback_url_forbidden"],
  ])("%s is refused", (_, text, code) => {
    expect(codeOf(() => guard.checkUrl(text))).toBe(code);
  });

  it.each(["http://example.com/hook?a=b#c", "https://example.com", "http://example.com:8080/", "HTTP://EXAMPLE.COM/"])(
    "%s passes",
    (text) => {
      expect(codeOf(() => guard.checkUrl(text))).toBeUndefined();
    },
  );

  it("no text makes the check throw anything but a callback error", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.webUrl(),
          fc.string(),
          fc.string().map((text) => `http://${text}`),
        ),
        (text) => {
          expect([undefined, "callback_url_invalid", "callback_url_credentials", "callback_url_forbidden"]).toContain(
            codeOf(() => guard.checkUrl(text)),
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("ports of one's own replace the default rule", () => {
    const own = createAddressGuard({ allow: [], ports: [443, 6379] });
    expect(codeOf(() => own.checkUrl("http://example.com:6379/"))).toBeUndefined();
    expect(codeOf(() => own.checkUrl("http://example.com:8080/"))).toBe("callback_url_forbidden");
  });
});

describe("the allow-list", () => {
  const own = createAddressGuard({ allow: ["10.0.0.0/8", "fd00::/8", "192.168.1.7", "hooks.internal"] });

  it("lets its networks and addresses through and nothing beside them", () => {
    for (const host of ["10.9.8.7", "[fd12::1]", "192.168.1.7", "[::ffff:10.0.0.1]"])
      expect(
        codeOf(() => own.checkUrl(`http://${host}/`)),
        host,
      ).toBeUndefined();
    for (const host of ["11.0.0.1.", "192.168.1.8", "172.16.0.1", "127.0.0.1"])
      expect(own.isAllowed(host.replace(/\.$/, "")), host).toBe(host.startsWith("11"));
  });

  it("refuses to be built from a damaged network", () => {
    expect(() => createAddressGuard({ allow: ["10.0.0.0/99"] })).toThrow();
  });

  it("lets loopback through only where that is set", () => {
    const local = createAddressGuard({ allow: [], allowLoopback: true });
    for (const host of ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"])
      expect(
        codeOf(() => local.checkUrl(`http://${host}:9999/`)),
        host,
      ).toBeUndefined();
    for (const host of ["0.0.0.0", "10.0.0.1", "[::]"])
      expect(
        codeOf(() => local.checkUrl(`http://${host}:9999/`)),
        host,
      ).toBe("callback_url_forbidden");
  });
});

describe("names", () => {
  const answers: Record<string, string[]> = {
    "public.example": ["8.8.8.8", "2606:4700:4700::1111"],
    "private.example": ["10.0.0.1"],
    "mixed.example": ["8.8.8.8", "127.0.0.1"],
    "mixed6.example": ["8.8.8.8", "fd00::1"],
    "hooks.internal": ["10.0.0.2"],
  };
  const resolve = async (name: string): Promise<LookupAddress[]> => {
    const list = answers[name];
    if (!list) throw Object.assign(new Error(name), { code: "ENOTFOUND" });
    return list.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  };
  const named = createAddressGuard({ allow: ["hooks.internal"], resolve });
  const lookup = (name: string, all: boolean): Promise<unknown> =>
    new Promise((done, fail) => named.lookup(name, { all }, (error, address) => (error ? fail(error) : done(address))));

  it.each(["private.example", "mixed.example", "mixed6.example"])(
    "%s is refused at accept and at connect",
    async (name) => {
      await expect(named.checkHost(new URL(`http://${name}/`), 1000)).rejects.toMatchObject({
        code: "callback_url_forbidden",
      });
      await expect(lookup(name, true)).rejects.toMatchObject({ code: "callback_url_forbidden" });
      await expect(lookup(name, false)).rejects.toMatchObject({ code: "callback_url_forbidden" });
    },
  );

  it("a public or listed name is connected to by the addresses that were checked", async () => {
    await named.checkHost(new URL("http://public.example/"), 1000);
    expect(await lookup("public.example", true)).toHaveLength(2);
    expect(await lookup("public.example.", false)).toBe("8.8.8.8");
    expect(await lookup("hooks.internal", false)).toBe("10.0.0.2");
  });

  it("a name that does not resolve passes at accept and fails at connect", async () => {
    await named.checkHost(new URL("http://gone.example/"), 1000);
    await expect(lookup("gone.example", true)).rejects.toMatchObject({ code: "ENOTFOUND" });
  });

  it("a name that was public at accept and is private at connect is refused there", async () => {
    const turns = [["8.8.8.8"], ["127.0.0.1"]];
    const rebinding = createAddressGuard({
      allow: [],
      resolve: async () => (turns.shift() ?? []).map((address) => ({ address, family: 4 })),
    });
    await rebinding.checkHost(new URL("http://rebind.example/"), 1000);
    const connected = new Promise((done, fail) =>
      rebinding.lookup("rebind.example", { all: true }, (error, list) => (error ? fail(error) : done(list))),
    );
    await expect(connected).rejects.toMatchObject({ code: "callback_url_forbidden" });
  });

  it("a resolver that hangs is asked once and waited for no longer than told", async () => {
    let asked = 0;
    const resolveNever = (): Promise<LookupAddress[]> => {
      asked++;
      return new Promise(() => {});
    };
    const hanging = createAddressGuard({ allow: [], resolve: resolveNever });
    const started = performance.now();
    await Promise.all([1, 2, 3].map(() => hanging.checkHost(new URL("http://hangs.example/"), 50)));
    expect(performance.now() - started).toBeLessThan(1000);
    expect(asked).toBe(1);
  });

  it("I11: no more than so many names that hang are asked for at once; the next fails at once and passes at accept", async () => {
    let asked = 0;
    const hanging = createAddressGuard({
      allow: [],
      resolve: () => {
        asked++;
        return new Promise(() => {});
      },
    });
    await Promise.all(
      Array.from({ length: 1_500 }, (_, at) => hanging.checkHost(new URL(`http://n${at}.example/`), 20)),
    );
    expect(asked).toBe(1_000);
    const connected = new Promise((done, fail) =>
      hanging.lookup("one.more.example", { all: true }, (error, list) => (error ? fail(error) : done(list))),
    );
    await expect(connected).rejects.toMatchObject({ code: "EBUSY" });
  });
});
