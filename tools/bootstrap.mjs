// `npm start`, `npm test` and `npm run build` on a machine that has only Node and npm: brings the pinned pnpm, installs
// from the lockfile, builds, and runs a script where one is named. Written for any Node, so that an old one gets a
// sentence, not a syntax error.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const root = new URL("..", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`anyproc needs Node 20.19 or newer, and this is ${process.versions.node}.`);
  process.exit(1);
}

function pnpm(args, stdio) {
  const result = spawnSync("npx", ["--yes", manifest.packageManager, ...args], {
    cwd: root,
    stdio,
    encoding: "utf8",
    shell: process.platform === "win32",
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", npm_config_loglevel: "error" },
  });
  if (result.error) throw result.error;
  return result;
}

/** A step whose output nobody needs to see unless it fails. */
function prepare(title, args) {
  process.stdout.write(`${title} ... `);
  const startedAt = Date.now();
  const { status, stdout, stderr } = pnpm(args, ["inherit", "pipe", "pipe"]);
  if (status !== 0) {
    console.log("failed");
    console.error(`${stdout}${stderr}`);
    process.exit(1);
  }
  console.log(`${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

prepare("Installing from the lockfile", ["install", "--frozen-lockfile", "--reporter=append-only"]);
prepare("Building", ["run", "compile"]);

const script = process.argv[2];
if (script) {
  console.log();
  const { status } = pnpm(["--silent", "run", script], "inherit");
  process.exitCode = status === null ? 1 : status;
}
