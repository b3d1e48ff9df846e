import { setFlagsFromString } from "node:v8";
import { runService } from "@fnbus/service";
import { startExecutor } from "./app.ts";
import { ExecutorConfig } from "./config.ts";

// Calls leave many bytes of garbage and little else. V8 counts the bytes against a limit that it sets by what is alive, so after
// one full collection it might do nothing but begin the next: ten a second, a third of this process's time (measured).
setFlagsFromString("--heap-growing-percent=400");

await runService("executor", ExecutorConfig, process.env, startExecutor);
