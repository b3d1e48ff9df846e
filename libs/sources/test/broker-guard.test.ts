import { describe, expect, it } from "vitest";
import { createBrokerGuard } from "../src/broker-guard.ts";

const lookUp = (guard: ReturnType<typeof createBrokerGuard>, name: string) =>
  new Promise<{ code?: string; addresses?: string[] }>((resolve) =>
    guard.lookup(name, { all: true }, (error, list) =>
      resolve(
        error ? { code: error.code ?? "" } : { addresses: (list as { address: string }[]).map((one) => one.address) },
      ),
    ),
  );

describe("the guard of brokers' addresses", () => {
  const guard = createBrokerGuard({ allow: [], allowLoopback: false });

  it.each(["10.1.2.3", "172.31.0.1", "192.168.1.1", "fd12::1", "100.64.0.1", "8.8.8.8", "::ffff:10.1.2.3"])(
    "%s may be a broker",
    (address) => {
      expect(guard.isAllowed(address)).toBe(true);
      guard.checkHost(address);
    },
  );

  it.each([
    "127.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "0.0.0.0",
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "fe80::1",
    "100.100.100.200",
    "fd00:ec2::254",
    "168.63.129.16",
    "224.0.0.1",
    "nonsense",
  ])("%s may not", (address) => {
    expect(guard.isAllowed(address)).toBe(false);
  });

  it("an address in digits is judged before any connection, and what is no host is invalid", () => {
    expect(() => guard.checkHost("169.254.169.254")).toThrow(
      expect.objectContaining({ code: "broker_address_forbidden" }),
    );
    for (const host of ["mqtt://broker", "broker:1883", "a b", "user@broker", ""])
      expect(() => guard.checkHost(host)).toThrow(expect.objectContaining({ code: "broker_address_invalid" }));
    guard.checkHost("broker.example");
  });

  it("a name is judged by what it resolves to, when it is connected to", async () => {
    expect(await lookUp(guard, "localhost")).toEqual({ code: "broker_address_forbidden" });
    const loopback = createBrokerGuard({ allow: [], allowLoopback: true });
    expect((await lookUp(loopback, "localhost")).addresses).not.toHaveLength(0);
    const named = createBrokerGuard({ allow: ["localhost", "169.254.0.0/16"], allowLoopback: false });
    expect((await lookUp(named, "localhost")).addresses).not.toHaveLength(0);
    expect(named.isAllowed("169.254.1.1")).toBe(true);
  });
});
