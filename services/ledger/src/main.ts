import { runService } from "@fnbus/service";
import { startLedger } from "./app.ts";
import { LedgerConfig } from "./config.ts";
import { rebuildProjection } from "./rebuild.ts";

if (process.argv[2] === "rebuild") process.stdout.write(`${await rebuildProjection(process.env)}\n`);
else await runService("ledger", LedgerConfig, process.env, startLedger);
