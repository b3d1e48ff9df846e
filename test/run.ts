import { runCommand, runVitest } from "./steps.ts";
import { dockerVersion, findServers } from "./surroundings.ts";
import { addTally, type Step, type Tally, toLine } from "./tally.ts";

/**
 * `npm test`: the checks, the ledger's simulation, the tests against real servers, then the journeys on processes, and
 * on containers where a Docker engine answers. Every step runs, whatever failed before it. The last line adds all up:
 * `N passed, N failed`.
 */
const tally: Tally = { passed: 0, failed: 0, failures: [], retried: [] };

async function take(step: Step): Promise<void> {
  const began = performance.now();
  process.stdout.write(`\n=== ${step.name}\n`);
  const found = await step.run();
  addTally(tally, found);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  process.stdout.write(`=== ${step.name}: ${toLine(found)} in ${seconds} s\n`);
}

for (const check of ["format", "types", "arrows", "dead"])
  await take({ name: `check:${check}`, run: () => runCommand("npm", ["run", "--silent", `check:${check}`]) });
await take({ name: "unit and docs tests", run: () => runVitest("unit") });
await take({
  name: "simulation of the ledger, 10,000 seeds",
  run: () => runCommand("npm", ["run", "--silent", "simulate"]),
});

const servers = await findServers();
process.stdout.write(`\n${servers.message}\n`);
if (!servers.found) addTally(tally, { passed: 0, failed: 1, failures: [servers.message], retried: [] });
else {
  Object.assign(process.env, servers.env);
  await take({ name: "tests against real servers", run: () => runVitest("servers") });
  await take({ name: "stack journeys on processes", run: () => runVitest("processes") });
}

const docker = await dockerVersion();
if (docker === undefined)
  process.stdout.write("\nNo Docker engine answers: the journeys on containers are left out.\n");
else {
  process.stdout.write(`\nDocker engine ${docker} answers.\n`);
  await take({ name: "stack journeys on containers", run: () => runVitest("containers") });
}

for (const retried of tally.retried) process.stdout.write(`\nPASSED ON RETRY ${retried}\n`);
for (const failure of tally.failures) process.stdout.write(`\nFAILED ${failure}\n`);
process.stdout.write(`\n${toLine(tally)}\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;
