import { startMosquitto } from "@fnbus/testing";
import { connectAsync } from "mqtt";
import { createTrigger, deployReporter, expectAllReported, newToken, runs } from "../events.ts";
import { startRelay } from "../relay.ts";
import type { Journey } from "./journey.ts";

const MESSAGES = 300;

export const mqttMessages: Journey = {
  name: "mqtt-messages",
  shows: "I6: each message reaches every matching function, though a bridge is killed and the broker restarts",
  needs: { replicas: { "mqtt-bridge": 2 } },
  async travel(stack) {
    const mosquitto = await startMosquitto();
    const relay = await startRelay(() => mosquitto.port);
    try {
      await deployReporter(stack, "alarms", "plant/+/temperature");
      await deployReporter(stack, "archive", "plant/#");
      const config = { host: stack.host, port: relay.port, topics: "plant/#", qos: 1 };
      await createTrigger(stack, { name: "plant", type: "mqtt", config });
      const sender = await connectAsync(`mqtt://127.0.0.1:${mosquitto.port}`, { protocolVersion: 5 });
      const tokens: string[] = [];
      const send = async (count: number, topic: string) => {
        for (let sent = 0; sent < count; sent++) {
          const token = newToken();
          await sender.publishAsync(topic, JSON.stringify({ token }), { qos: 1 });
          tokens.push(token);
        }
      };
      await send(MESSAGES / 3, "plant/7/temperature");
      const [one] = stack.members("mqtt-bridge");
      const killed = one!.kill();
      await send(MESSAGES / 3, "plant/8/temperature");
      await killed;
      // Killed, it would forget what it acknowledged since it last wrote its store.
      await mosquitto.restart("stopped");
      await one!.restart();
      // A mosquitto before 2.1 forgets shared subscriptions when it restarts: until they are made anew, it drops messages.
      await runs(stack, "plant");
      await send(MESSAGES / 3, "plant/9/temperature");
      await sender.endAsync();
      await expectAllReported(stack, tokens, { exactlyOnce: false, functions: 2 });
    } finally {
      await relay.stop();
      await mosquitto.stop();
    }
  },
};
