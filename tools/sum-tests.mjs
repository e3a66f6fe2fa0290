// Adds up the reports that test runs left in a directory, vitest's and the engine's own, and prints the sum as
// `N passed, N failed`. A failed check counts as one, even where no single test failed.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [directory, ...failedChecks] = process.argv.slice(2);
const reports = readdirSync(directory).map((name) => JSON.parse(readFileSync(join(directory, name), "utf8")));
const add = (...keys) =>
  reports.reduce((sum, report) => sum + keys.reduce((part, key) => part + (report[key] ?? 0), 0), 0);

const passed = add("numPassedTests", "passed");
const failed = Math.max(add("numFailedTests", "failed"), failedChecks.length);
const skipped = add("numPendingTests", "numTodoTests");
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
