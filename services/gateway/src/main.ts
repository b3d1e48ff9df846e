import { runService } from "@fnbus/service";
import { startGateway } from "./app.ts";
import { GatewayConfig } from "./config.ts";

await runService("gateway", GatewayConfig, process.env, startGateway);
