import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { as, ordinaryUser, type Person } from "./modes.ts";
import { prepare } from "./run.ts";

/** One root filesystem for chroot(2), and one for the engine. */
export interface Trees {
  readonly chroot: string;
  readonly guest: string;
}

// The engine binds the host's /dev.
const withoutDevices = ["--exclude=./dev/*"];

/**
 * Root has one tree for both sides. An ordinary user cannot own what Debian gives to root and cannot make device nodes,
 * so the user's tree has neither, and the engine shows its files as root's. Its twin for chroot(2) is the same archive
 * unpacked in the same way by root: all of it root's, without device nodes. Then nothing is left to be normalised.
 */
export function makeTrees(archive: string, directory: string, person: Person): Trees {
  const [guest, twin] = [join(directory, "guest"), join(directory, "twin")];
  mkdirSync(guest);
  if (person === "root") {
    prepare(["tar", "-xp", "--numeric-owner", "-C", guest], { stdin: archive });
    return { guest, chroot: guest };
  }
  unpackAsUser(archive, guest);
  mkdirSync(twin);
  prepare(["tar", "-xp", "--no-same-owner", ...withoutDevices, "-C", twin], { stdin: archive });
  return { guest, chroot: twin };
}

/** Unpacks an archive as an ordinary user, who then owns all of it. The directory must be there. */
export function unpackAsUser(archive: string, directory: string): void {
  chownSync(directory, ordinaryUser.uid, ordinaryUser.gid);
  const unpack = ["tar", "-xp", "--no-same-owner", ...withoutDevices, "-C", directory];
  prepare([...as("ordinary user", "/"), ...unpack], { stdin: archive });
}

/** A directory that every user may enter and that goes away with the function that is returned. */
export function temporaryDirectory(): { readonly directory: string; readonly remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), "anyproc-e2e-"));
  chmodSync(directory, 0o755);
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
