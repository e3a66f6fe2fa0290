import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const script = join(import.meta.dirname, "../sum-tests.mjs");
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "anyproc-sum-"));
  const reports = [
    { numPassedTests: 40, numFailedTests: 1, numPendingTests: 2, numTodoTests: 0 },
    { passed: 9, failed: 0 },
  ];
  for (const [index, report] of reports.entries()) {
    writeFileSync(join(directory, `${index}.json`), JSON.stringify(report));
  }
});

afterEach(() => rmSync(directory, { recursive: true }));

function sum(...failedChecks: string[]): string {
  return spawnSync(process.execPath, [script, directory, ...failedChecks], { encoding: "utf8" }).stdout;
}

test("reports of both kinds add up to one line", () => {
  expect(sum("npm test")).toBe("49 passed, 1 failed, 2 skipped\n");
});

test("checks that failed without a failed test count", () => {
  expect(sum("npm test", "lint")).toBe("49 passed, 2 failed, 2 skipped\n");
});

test("what failed is named: tests, files, the engine's", () => {
  const testResults = [
    {
      name: join(process.cwd(), "packages/core/test/exit.test.ts"),
      status: "failed",
      message: "",
      assertionResults: [
        { fullName: "an exit is told once", status: "passed" },
        {
          fullName: "an exit has a code",
          status: "failed",
          failureMessages: ["AssertionError: 1 is not 2\n    at there"],
        },
      ],
    },
    {
      name: join(process.cwd(), "packages/core/test/words.test.ts"),
      status: "failed",
      message: "SyntaxError: unexpected end",
      assertionResults: [],
    },
  ];
  writeFileSync(join(directory, "2.json"), JSON.stringify({ numPassedTests: 1, numFailedTests: 1, testResults }));
  writeFileSync(
    join(directory, "3.json"),
    JSON.stringify({ passed: 3, failed: 1, goals: ["test"], end: "1 is not 2" }),
  );
  expect(sum("npm test")).toBe(`failed: packages/core/test/exit.test.ts: an exit has a code
  AssertionError: 1 is not 2
      at there

failed: packages/core/test/words.test.ts
  SyntaxError: unexpected end

failed: engine, make test
  1 is not 2

53 passed, 3 failed, 2 skipped
`);
});
