import { runService } from "@fnbus/service";
import { startCallbackDispatcher } from "./app.ts";
import { Config } from "./config.ts";

await runService("callback-dispatcher", Config, process.env, startCallbackDispatcher);
