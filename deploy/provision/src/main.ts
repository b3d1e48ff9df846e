import { runProvision } from "./app.ts";

try {
  process.stdout.write(`${await runProvision(process.env)}\n`);
} catch (error) {
  process.stderr.write(`cannot provision: ${(error as Error).message}\n`);
  process.exit(1);
}
