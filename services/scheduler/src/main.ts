import { runService } from "@fnbus/service";
import { startScheduler } from "./app.ts";
import { SchedulerConfig } from "./config.ts";

await runService("scheduler", SchedulerConfig, process.env, startScheduler);
