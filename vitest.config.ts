import { defineConfig } from "vitest/config";

const conditions = ["@anyproc/source", "module", "node", "development|production"];

// A directory for machine-readable results, one file a run; .ci/run adds them up.
const reports = process.env["ANYPROC_TEST_REPORTS"];

export default defineConfig({
  // Tests run on the sources, with no build in between.
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "tools/test/**/*.test.ts"],
    testTimeout: 30_000,
    pool: "forks",
    reporters: ["default", ...(reports ? ["json"] : [])],
    ...(reports && { outputFile: { json: `${reports}/vitest-${process.pid}.json` } }),
  },
});
