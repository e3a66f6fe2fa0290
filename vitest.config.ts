import { defineConfig } from "vitest/config";

const conditions = ["@anyproc/source", "module", "node", "development|production"];

export default defineConfig({
  // Tests run on the sources, with no build in between.
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts"],
    testTimeout: 30_000,
    pool: "forks",
  },
});
