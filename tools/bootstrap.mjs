// `npm start` and `npm test` on a machine that has only Node and npm: brings the pinned pnpm, installs from the
// lockfile, runs one script. Written for any Node, so that an old one gets a sentence instead of a syntax error.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const root = new URL("..", import.meta.url);
const script = process.argv[2];
const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`anyproc needs Node 20.19 or newer, and this is ${process.versions.node}.`);
  process.exit(1);
}

function pnpm(...args) {
  const { status, error } = spawnSync("npx", ["--yes", manifest.packageManager, ...args], {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", npm_config_loglevel: "error" },
  });
  if (error) throw error;
  if (status !== 0) process.exit(status === null ? 1 : status);
}

pnpm("install", "--frozen-lockfile", "--reporter=append-only", "--loglevel=error");
pnpm("--silent", "run", script);
