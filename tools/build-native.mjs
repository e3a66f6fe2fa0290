// Puts what is written in C into its platform package: `node build-native.mjs NAME`. Where it cannot be built,
// the package stays empty and the build goes on: everything else works without it, and the package that wants it says
// what is missing when it is asked.
// make knows what is up to date; a cache in front of it would keep "not built" once gcc is there.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const name = process.argv[2];
const files = {
  proot: ["anyproc-proot", "anyproc-proot-shim"],
  emrun: ["anyproc-emrun.node"],
  "registry-extract": ["anyproc-files.node"],
}[name];
const native = fileURLToPath(new URL(`../native/${name}/`, import.meta.url));
const target = fileURLToPath(new URL(`../packages/${name}-linux-x64/bin/`, import.meta.url));

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: native, stdio: "inherit" });
  if (error?.code === "ENOENT") {
    console.log(`native/${name}: not built, there is no ${command}: install gcc and make, then build again`);
    process.exit();
  }
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

if (process.platform !== "linux" || process.arch !== "x64") {
  console.log(`native/${name}: not built, ${process.platform}-${process.arch} is not supported yet`);
} else {
  run("make", "-s", "-j2");
  mkdirSync(target, { recursive: true });
  for (const file of files) run("strip", "-o", `${target}${file}`, `build/linux-x64/${file}`);
}
