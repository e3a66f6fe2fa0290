import { copyFileSync } from "node:fs";
import { join } from "node:path";

/** Packages that the workloads want. */
export const toolPackages = [
  ...["build-essential", "default-jre-headless", "ecj", "gdb", "git", "golang-go", "jq", "python3-venv"],
  ...["sqlite3", "strace"],
];

/**
 * Command that installs packages from this machine's mirror, where nobody answers questions. The guest of an ordinary
 * user cannot become the user that apt-get downloads as.
 */
export function aptInstall(packages: readonly string[]): string[] {
  const text = `export DEBIAN_FRONTEND=noninteractive
    apt-get -o APT::Sandbox::User=root update -q && apt-get -o APT::Sandbox::User=root install -qq --no-install-recommends "$@" </dev/null && apt-get clean`;
  return ["sh", "-ec", text, "apt", ...packages];
}

/** Lets the programs of a root filesystem find this machine's mirror. */
export function shareNameservers(tree: string): void {
  copyFileSync("/etc/resolv.conf", join(tree, "etc/resolv.conf"));
}
