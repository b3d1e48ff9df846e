import { FnbusError } from "@fnbus/contract";
import type { BrokerGuard } from "@fnbus/sources";
import type { Broker } from "@platformatic/kafka";
import { splitAddress } from "../../core/broker-address.ts";

/**
 * Throws where a broker may not be reached. Kafka's brokers name further ones, each of which is checked before it is
 * connected to; the client library takes no look-up of ours without TLS, so a name is looked up once more by itself.
 */
export async function checkBroker(guard: BrokerGuard, host: string): Promise<void> {
  guard.checkHost(host);
  await new Promise<void>((resolve, reject) => {
    guard.lookup(host, { all: true }, (error) => (error ? reject(error) : resolve()));
  });
}

/**
 * The brokers that a trigger names, and those that were seen before. One whose name is not known, as that of a broker which is
 * down may be, is left out where another is known; one that is forbidden forbids all.
 */
export async function passBrokers(
  guard: BrokerGuard,
  named: readonly string[],
  seen: readonly Broker[],
): Promise<Broker[]> {
  const brokers = [...named.map((address) => splitAddress(address)), ...seen];
  const checks = await Promise.allSettled(brokers.map(({ host }) => checkBroker(guard, host)));
  const refusals = checks.flatMap((check) => (check.status === "rejected" ? [check.reason as unknown] : []));
  const passed = brokers.filter((_, index) => checks[index]!.status === "fulfilled");
  const forbidden = refusals.find((refusal) => refusal instanceof FnbusError);
  if (forbidden !== undefined || passed.length === 0) throw forbidden ?? refusals[0];
  return passed.filter(
    ({ host, port }, index) => passed.findIndex((one) => one.host === host && one.port === port) === index,
  );
}
