import { runLocal } from "./command.ts";

runLocal(process.argv.slice(2), process.env, process.stdout).then(
  (exitCode) => process.exit(exitCode),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
