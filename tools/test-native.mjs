// Runs the engine's own tests: `test-native.mjs [MAKE-ARGUMENT...]`, by default `test`. Each prints its sum; all that
// they say is shown when something failed.
import { spawnSync } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const native = fileURLToPath(new URL("../native/proot/", import.meta.url));
const reports = process.env.ANYPROC_TEST_REPORTS;
const goals = process.argv.length > 2 ? process.argv.slice(2) : ["test"];

const isThere = (command) => spawnSync("sh", ["-c", `command -v ${command}`]).status === 0;
const missing = ["make", "cc", "busybox", "python3"].filter((command) => !isThere(command));

if (process.platform !== "linux" || process.arch !== "x64") {
  console.log(`engine: tests skipped, there is no engine for ${process.platform}-${process.arch}`);
} else if (missing.length > 0) {
  console.log(`engine: tests skipped, for want of ${missing.join(", ")}`);
  if (process.env.CI) process.exitCode = 1;
} else {
  const directory = mkdtempSync(join(tmpdir(), "anyproc-native-"));
  try {
    // A file, since a process that a failed test left behind would hold a pipe open.
    const log = openSync(join(directory, "log"), "w+");
    const { status, error } = spawnSync("make", ["-s", "-C", native, ...goals], { stdio: ["ignore", log, log] });
    if (error) throw error;
    report(status === 0, readFileSync(join(directory, "log"), "utf8"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function report(succeeded, text) {
  const sum = { passed: 0, failed: 0 };
  for (const [, count, kind, failed] of text.matchAll(/(\d+) (passed|checks|rounds), (\d+) (?:failed|failures)$/gm)) {
    sum.passed += Number(count) - (kind === "passed" ? 0 : Number(failed));
    sum.failed += Number(failed);
  }
  if (reports) writeFileSync(join(reports, `native-${process.pid}.json`), JSON.stringify(sum));
  const isFine = succeeded && sum.passed > 0;
  if (!isFine) console.log(text);
  console.log(`engine: ${sum.passed} passed, ${sum.failed} failed (make ${goals.join(" ")})`);
  if (!isFine) process.exitCode = 1;
}
