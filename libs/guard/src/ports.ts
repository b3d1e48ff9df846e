/**
 * Ports above 1023 of services that speak other protocols and may act on what an HTTP request looks like to them: databases,
 * brokers, container engines, our own NATS.
 */
const servicePorts = new Set([
  1433, 1521, 1883, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 4222, 4369, 5432, 5671, 5672, 5900, 5984, 6222, 6379,
  6380, 6443, 8222, 8883, 9042, 9092, 9200, 9300, 10250, 10255, 11211, 16379, 26379, 27017, 27018,
]);
const FIRST_UNPRIVILEGED = 1024;

/** Whether callbacks may go to the URL's port: one of `ports`, or by default 80, 443 and 1024 up without known services. */
export function isAllowedPort(url: URL, ports: readonly number[] | undefined): boolean {
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  if (ports) return ports.includes(port);
  return port === 80 || port === 443 || (port >= FIRST_UNPRIVILEGED && !servicePorts.has(port));
}
