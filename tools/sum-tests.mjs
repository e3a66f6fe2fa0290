// Adds up the reports that test runs left in a directory, and prints the sum as `N passed, N failed`. vitest writes
// JSON; the tests in C print TAP (testanything.org). A check without tests of its own, once failed, counts as one.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [directory, ...failedChecks] = process.argv.slice(2);
const sum = { passed: 0, failed: 0, skipped: 0 };

for (const name of readdirSync(directory)) {
  const text = readFileSync(join(directory, name), "utf8");
  if (name.endsWith(".json")) {
    const report = JSON.parse(text);
    sum.passed += report.numPassedTests;
    sum.failed += report.numFailedTests;
    sum.skipped += report.numPendingTests + report.numTodoTests;
  } else {
    sum.passed += text.match(/^ok\b/gm)?.length ?? 0;
    sum.failed += text.match(/^not ok\b/gm)?.length ?? 0;
  }
}
sum.failed = Math.max(sum.failed, failedChecks.length);

const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : "";
console.log(`${sum.passed} passed, ${sum.failed} failed${skipped}`);
