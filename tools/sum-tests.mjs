// Adds up the reports that test runs left in a directory, vitest's and the engine's own: names what failed and prints the
// sum as `N passed, N failed`. A failed check counts as one, even where no single test failed.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const [directory, ...failedChecks] = process.argv.slice(2);
const reports = readdirSync(directory).map((name) => JSON.parse(readFileSync(join(directory, name), "utf8")));
const add = (...keys) =>
  reports.reduce((sum, report) => sum + keys.reduce((part, key) => part + (report[key] ?? 0), 0), 0);

for (const file of reports.flatMap((report) => report.testResults ?? []).filter(({ status }) => status === "failed")) {
  const name = relative(process.cwd(), file.name);
  const tests = file.assertionResults.filter(({ status }) => status === "failed");
  // Without a failed test, it is the file itself that could not be run, or its preparation.
  if (tests.length === 0) describe(name, file.message);
  for (const { fullName, failureMessages } of tests) describe(`${name}: ${fullName}`, failureMessages.join("\n"));
}
for (const { goals, end } of reports) if (end !== undefined) describe(`engine, make ${goals.join(" ")}`, end);

const passed = add("numPassedTests", "passed");
const failed = Math.max(add("numFailedTests", "failed"), failedChecks.length);
const skipped = add("numPendingTests", "numTodoTests");
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);

function describe(title, message) {
  console.log(`failed: ${title}\n${message.trim().replace(/^/gm, "  ")}\n`);
}
