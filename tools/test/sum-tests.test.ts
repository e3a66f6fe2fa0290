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
