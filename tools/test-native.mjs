// Runs the engine's own tests: `test-native.mjs [MAKE-ARGUMENT...]`, by default `test`. They print what failed and end
// with `N passed, N failed`; what is said besides is shown when something did.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
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
  const { status, error, stdout } = spawnSync("make", ["-s", "-C", native, ...goals], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error) throw error;
  const sums = [...stdout.matchAll(/^(\d+) passed, (\d+) failed$/gm)];
  const [passed, failed] = [1, 2].map((group) => sums.reduce((sum, match) => sum + Number(match[group]), 0));
  if (reports) writeFileSync(join(reports, `native-${process.pid}.json`), JSON.stringify({ passed, failed }));
  const succeeded = status === 0 && passed > 0;
  if (!succeeded) console.log(stdout);
  console.log(`engine: ${passed} passed, ${failed} failed (make ${goals.join(" ")})`);
  if (!succeeded) process.exitCode = 1;
}
