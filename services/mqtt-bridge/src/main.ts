import { runService } from "@fnbus/service";
import { startMqttBridge } from "./app.ts";
import { Config } from "./config.ts";

await runService("mqtt-bridge", Config, process.env, startMqttBridge);
