// Runs core, host, proot, emrun and registry-extract on every version of Node.js that they support: the built packages through the demo,
// since vitest's transforms would hide syntax that an old Node cannot read, and then their tests.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const runtimes = join(root, "tools/runtimes");
const packages = ["packages/core", "packages/host", "packages/proot", "packages/emrun", "packages/registry-extract"];

function run(node, args) {
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
  const { status, error } = spawnSync(node, args, { cwd: root, stdio: "inherit", env });
  if (error)
    throw new Error(`${node}: cannot be run: ${error.message}; is this a platform that tools/runtimes covers?`);
  return status === 0;
}

const { optionalDependencies } = JSON.parse(readFileSync(join(runtimes, "package.json"), "utf8"));
const wanted = process.argv.slice(2);
for (const name of Object.keys(optionalDependencies)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const node = join(runtimes, "node_modules", name, "bin/node");
  console.log(`\n${name}`);
  const passed = run(node, ["tools/demo.mjs"]) && run(node, ["node_modules/vitest/vitest.mjs", "run", ...packages]);
  if (!passed) process.exitCode = 1;
}
