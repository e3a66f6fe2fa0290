import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { debianArchive } from "./debian.ts";
import { installProduct } from "./product.ts";
import { type Outcome, prepare, run } from "./run.ts";

/** One tree in which chroot(2) runs a command, and one in which anyproc runs the same command as somebody. */
export interface Sides {
  readonly chrootTree: string;
  readonly guestTree: string;
  readonly anyproc: readonly string[];
}

export interface People {
  readonly root: Sides;
  readonly "ordinary user": Sides;
}

const nobody = { uid: 65534, gid: 65534 };

/** Where every tree has a static busybox. */
export const busybox = "/opt/busybox";

/**
 * Root has one tree for both sides. An ordinary user cannot own what Debian gives to root and cannot make device nodes,
 * so the user's tree has neither, and the engine shows its files as root's. Its twin for chroot(2) is the same archive
 * unpacked in the same way by root: all of it root's, without device nodes. Then nothing is left to be normalised.
 */
export function makePeople(directory: string): People {
  const archive = debianArchive();
  const anyproc = installProduct(join(directory, "product"));
  const [roots, users, twin, home] = ["root", "user", "user-as-root", "home"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const path of [roots, users, twin, home]) mkdirSync(path);
  for (const path of [users, home]) chownSync(path, nobody.uid, nobody.gid);
  const asNobody = ["setpriv", `--reuid=${nobody.uid}`, `--regid=${nobody.gid}`, "--clear-groups"];
  const unpackAsOwn = ["tar", "-xp", "--no-same-owner", "--exclude=./dev/*", "-C"];

  prepare(["tar", "-xp", "--numeric-owner", "-C", roots], { stdin: archive });
  prepare([...asNobody, ...unpackAsOwn, users], { stdin: archive });
  prepare([...unpackAsOwn, twin], { stdin: archive });
  for (const tree of [roots, users, twin]) prepare(["cp", "-p", "/bin/busybox", join(tree, busybox)]);
  chownSync(join(users, busybox), nobody.uid, nobody.gid);
  return {
    root: { chrootTree: roots, guestTree: roots, anyproc },
    "ordinary user": {
      chrootTree: twin,
      guestTree: users,
      anyproc: [...asNobody, "env", `HOME=${home}`, ...anyproc],
    },
  };
}

// Nothing of the machine's environment may make the two sides differ.
const cleanly = ["/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "TZ=UTC"];

// The engine binds these by default; in a mount namespace of its own, so that they vanish with the command.
const enterChroot = `
  mount --rbind /dev "$0/dev" && mount --rbind /proc "$0/proc" && mount --rbind /sys "$0/sys" || exit 125
  exec chroot "$0" "$@"`;

/** Runs a command under chroot(2), as root. */
export function runInChroot(sides: Sides, argv: readonly string[], input?: string): Promise<Outcome> {
  return run(["unshare", "--mount", "sh", "-c", enterChroot, sides.chrootTree, ...cleanly, ...argv], input);
}

/** Runs a command with `anyproc run --rootfs`, as whoever the sides belong to. */
export function runInGuest(sides: Sides, argv: readonly string[], input?: string): Promise<Outcome> {
  return run([...sides.anyproc, "run", "--rootfs", sides.guestTree, "--", ...cleanly, ...argv], input);
}
