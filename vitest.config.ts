import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const conditions = ["@anyproc/source", "module", "node", "development|production"];

// A directory for machine-readable results, one file a run; .ci/run adds them up.
const reports = process.env["ANYPROC_TEST_REPORTS"];

/** The compliance suites take longest, and their files are small: by size they would be left over for the end. */
class ComplianceFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isCompliance = ({ moduleId }: TestSpecification): boolean => moduleId.includes("compliance");
    return [...sorted.filter(isCompliance), ...sorted.filter((file) => !isCompliance(file))];
  }
}

export default defineConfig({
  // Tests run on the sources, with no build in between.
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "tools/test/**/*.test.ts"],
    setupFiles: ["tools/test/same-inputs.ts"],
    // Guards against waiting forever, on a machine that is busy with something else too.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: "forks",
    // All of them, not all but one: the tests wait for servers and programs more than they compute.
    maxWorkers: "100%",
    sequence: { sequencer: ComplianceFirst },
    reporters: ["default", ...(reports ? ["json"] : [])],
    ...(reports && { outputFile: { json: `${reports}/vitest-${process.pid}.json` } }),
  },
});
