import { runService } from "@fnbus/service";
import { startLedger } from "./app.ts";
import { LedgerConfig } from "./config.ts";
import { rebuildProjection } from "./rebuild.ts";

if (process.argv[2] === "rebuild") {
  rebuildProjection(process.env).then(
    (text) => process.stdout.write(`${text}\n`),
    (error: Error) => {
      process.stderr.write(`cannot rebuild: ${error.message}\n`);
      process.exit(1);
    },
  );
} else await runService("ledger", LedgerConfig, process.env, startLedger);
