import { runService } from "@fnbus/service";
import { startLedger } from "./app.ts";
import { LedgerConfig } from "./config.ts";

await runService("ledger", LedgerConfig, process.env, startLedger);
