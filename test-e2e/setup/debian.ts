import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { prepare } from "./run.ts";

const suite = "bookworm";

/** Path of a Debian root filesystem as a tar archive, made with debootstrap once and kept in the user's cache. */
export function debianArchive(): string {
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "anyproc-test");
  const archive = join(cache, `debian-${suite}-minbase.tar`);
  if (existsSync(archive)) return archive;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "debootstrap-"));
  try {
    console.log(`Making a Debian root filesystem with debootstrap, once: ${archive}`);
    const tree = join(work, "tree");
    prepare(["debootstrap", "--variant=minbase", suite, tree, ...mirrorOfThisMachine()]);
    prepare(["tar", "-C", tree, "--numeric-owner", "--sort=name", "-cf", join(work, "tar"), "."]);
    renameSync(join(work, "tar"), archive);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return archive;
}

/** The mirror that this machine's own apt uses: near, and known to be reachable. Without one, debootstrap has its own. */
function mirrorOfThisMachine(): string[] {
  const format = ["--format", "$(REPO_URI)", `Codename: ${suite}`, "Created-By: Packages", "Component: main"];
  const [first] = execFileSync("apt-get", ["indextargets", ...format], { encoding: "utf8" }).split("\n");
  return first ? [first] : [];
}
