// Puts the engine's executables into their platform package. Where they cannot be built, the package stays empty and
// the build goes on: everything else works without them, and the proot package says what is missing when it is asked.
// make knows what is up to date; a cache in front of it would keep "not built" once gcc is there.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const native = fileURLToPath(new URL("../native/proot/", import.meta.url));
const target = fileURLToPath(new URL("../packages/proot-linux-x64/bin/", import.meta.url));

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: native, stdio: "inherit" });
  if (error?.code === "ENOENT") {
    console.log(`engine: not built, there is no ${command}: install gcc and make, then build again`);
    process.exit();
  }
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

if (process.platform !== "linux" || process.arch !== "x64") {
  console.log(`engine: not built, ${process.platform}-${process.arch} is not supported yet`);
} else {
  run("make", "-s", "-j2");
  mkdirSync(target, { recursive: true });
  for (const name of ["anyproc-proot", "anyproc-proot-shim"]) {
    run("strip", "-o", `${target}${name}`, `build/linux-x64/${name}`);
  }
}
