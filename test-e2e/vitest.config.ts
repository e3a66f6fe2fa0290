import { defineConfig } from "vitest/config";

const reports = process.env["ANYPROC_TEST_REPORTS"];

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.test.ts"],
    globalSetup: "setup/global-setup.ts",
    setupFiles: ["../tools/test/same-inputs.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Where two outputs part is what a failure has to show.
    chaiConfig: { truncateThreshold: 0 },
    reporters: ["default", ...(reports ? ["json"] : [])],
    ...(reports && { outputFile: { json: `${reports}/vitest-e2e-${process.pid}.json` } }),
  },
});
