/** What the bridge is compared with: MQTT.js on one connection, which acknowledges everything and does nothing with it. */
import mqtt from "mqtt";

const { FNBUS_PORT: port, FNBUS_CLIENT: clientId, FNBUS_COUNT: count } = process.env;
let received = 0;
let began = 0;
const client = mqtt.connect({
  ...{ host: "127.0.0.1", port: Number(port), protocolVersion: 5, clientId: clientId!, clean: false },
  properties: { sessionExpiryInterval: 3600, receiveMaximum: 64 },
});
client.on("connect", () => client.subscribe("bench/#", { qos: 1 }, () => console.log("subscribed")));
client.on("message", () => {
  if (received++ === 0) began = performance.now();
  if (received < Number(count)) return;
  const { user, system } = process.cpuUsage();
  console.log(JSON.stringify({ ms: performance.now() - began, cpuMs: (user + system) / 1000 }));
  setTimeout(() => client.end(), 100);
});
