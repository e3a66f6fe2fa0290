// Puts the engine's executables into their platform package. Where they cannot be built, the package stays empty and
// the build goes on: everything else works without them, and the proot package says what is missing when it is asked.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";

const native = new URL("../native/proot/", import.meta.url);
const target = new URL("../packages/proot-linux-x64/bin/", import.meta.url);

if (process.platform !== "linux" || process.arch !== "x64") {
  console.log(`engine: not built, ${process.platform}-${process.arch} is not supported yet`);
} else {
  const { status, error } = spawnSync("make", ["-s", "-j2"], { cwd: native, stdio: "inherit" });
  if (error?.code === "ENOENT") {
    console.log("engine: not built, there is no make: install gcc and make, then build again");
  } else if (status !== 0) {
    process.exit(status ?? 1);
  } else {
    mkdirSync(target, { recursive: true });
    for (const name of ["anyproc-proot", "anyproc-proot-shim"]) {
      copyFileSync(new URL(`build/linux-x64/${name}`, native), new URL(name, target));
    }
  }
}
