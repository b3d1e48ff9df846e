import { runService } from "@fnbus/service";
import { startExecutor } from "./app.ts";
import { ExecutorConfig } from "./config.ts";

await runService("executor", ExecutorConfig, process.env, startExecutor);
