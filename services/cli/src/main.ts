import { runCli } from "./app.ts";

process.exitCode = await runCli(process.argv.slice(2), process.env, process);
