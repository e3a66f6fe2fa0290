import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { as, ordinaryUser, type Person } from "./modes.ts";
import { prepare } from "./run.ts";

/** Twins: one root filesystem for chroot(2), and one for the engine. */
export interface Trees {
  readonly chroot: string;
  readonly guest: string;
}

/**
 * An ordinary user cannot own what Debian gives to root and cannot make device nodes, so the user's tree has neither,
 * and the engine shows its files as root's. Its twin for chroot(2) is the same archive unpacked in the same way by root:
 * all of it root's, without device nodes. Then nothing is left to be normalised.
 */
export function makeTrees(archive: string, directory: string, person: Person): Trees {
  const trees = { chroot: join(directory, "chroot"), guest: join(directory, "guest") };
  unpack(archive, trees.chroot, person === "root" ? asItIs : asOwn);
  unpackAs(person, archive, trees.guest);
  return trees;
}

/** Unpacks an archive into a new directory; the ordinary user then owns all of it. */
export function unpackAs(person: Person, archive: string, directory: string): void {
  if (person === "root") unpack(archive, directory, asItIs);
  else unpack(archive, directory, asOwn, person);
}

const asItIs = ["--numeric-owner"];
const asOwn = ["--no-same-owner", "--exclude=./dev/*"];

function unpack(archive: string, directory: string, how: readonly string[], person: Person = "root"): void {
  mkdirSync(directory);
  if (person !== "root") chownSync(directory, ordinaryUser.uid, ordinaryUser.gid);
  prepare([...as(person, "/"), "tar", "-xp", ...how, "-C", directory], { stdin: archive });
}

/** A directory that every user may enter and that goes away with the function that is returned. */
export function temporaryDirectory(): { readonly directory: string; readonly remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), "anyproc-e2e-"));
  chmodSync(directory, 0o755);
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
