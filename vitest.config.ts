import { defineConfig } from "vitest/config";

/**
 * Journeys take turns: two cores are soon busy, and a journey measures time. In CI, whose machine may be
 * shared, one that fails is run once more, and the verbose report says so; elsewhere it fails at once.
 */
const withServers = {
  testTimeout: 60_000,
  hookTimeout: 120_000,
  fileParallelism: false,
  retry: process.env.CI ? 1 : 0,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{libs,services,deploy}/**/test/**/*.test.ts", "test/{docs,rules}/*.test.ts"],
          exclude: ["**/node_modules/**", "**/*.server.test.ts"],
          // Property tests on a busy machine.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "servers",
          include: ["{libs,services,deploy}/**/test/**/*.server.test.ts"],
          ...withServers,
          // They wait more than they work: two files side by side take little more than half the time.
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
      {
        test: { name: "processes", include: ["test/stack/processes.test.ts"], ...withServers, testTimeout: 240_000 },
      },
      {
        test: {
          name: "containers",
          include: ["test/stack/containers.test.ts"],
          ...withServers,
          testTimeout: 300_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
