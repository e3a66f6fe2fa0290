import { copyFileSync } from "node:fs";
import { join } from "node:path";

/** Packages that the workloads want. */
export const toolPackages = [
  ...["build-essential", "default-jre-headless", "ecj", "gdb", "git", "golang-go", "jq", "python3-venv"],
  ...["sqlite3", "strace"],
];

/** Command that installs packages from this machine's mirror, where nobody answers questions. */
export function aptInstall(packages: readonly string[]): string[] {
  const text = `export DEBIAN_FRONTEND=noninteractive
    apt-get update -q && apt-get install -qq --no-install-recommends "$@" </dev/null && apt-get clean`;
  return ["sh", "-ec", text, "apt", ...packages];
}

/** Lets the programs of a root filesystem find this machine's mirror. */
export function shareNameservers(tree: string): void {
  copyFileSync("/etc/resolv.conf", join(tree, "etc/resolv.conf"));
}
