import { runService } from "@fnbus/service";
import { startEventIngest } from "./app.ts";
import { IngestConfig } from "./config.ts";

await runService("event-ingest", IngestConfig, process.env, startEventIngest);
