import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{libs,services,deploy}/**/test/**/*.test.ts", "test/{docs,rules}/*.test.ts"],
          exclude: ["**/node_modules/**", "**/*.server.test.ts"],
        },
      },
      {
        test: {
          name: "servers",
          include: ["{libs,services,deploy}/**/test/**/*.server.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
