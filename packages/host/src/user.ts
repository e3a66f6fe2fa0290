import { readFileSync } from "node:fs";
import { AnyprocError, type UserIds } from "@anyproc/core";
import { resolveInside } from "./resolve-inside.ts";

/**
 * Numbers for a user: as given, or by name from passwd(5) with the supplementary groups of group(5).
 *
 * @param rootfs where the two files are; without it, this machine's own
 * @throws ANYPROC_INVALID_COMMAND for a name that nobody has
 */
export function resolveUser(user: UserIds | string, rootfs: string | undefined): UserIds {
  if (typeof user !== "string") return user;
  const passwd = readTable("/etc/passwd", rootfs);
  const entry = passwd.find(([name]) => name === user);
  const uid = Number(entry?.[2]);
  const gid = Number(entry?.[3]);
  if (entry === undefined || !Number.isInteger(uid) || !Number.isInteger(gid)) {
    throw new AnyprocError(
      "ANYPROC_INVALID_COMMAND",
      `no user is called ${JSON.stringify(user)} in ${rootfs ?? ""}/etc/passwd: add it, or give {uid, gid}`,
    );
  }
  const groups = readTable("/etc/group", rootfs).filter(([, , , members]) => members?.split(",").includes(user));
  const additionalGids = groups.map((group) => Number(group[2])).filter((id) => Number.isInteger(id) && id !== gid);
  return { uid, gid, additionalGids };
}

function readTable(path: string, rootfs: string | undefined): string[][] {
  try {
    const text = readFileSync(rootfs === undefined ? path : resolveInside(rootfs, path), "utf8");
    return text.split("\n").map((line) => line.split(":"));
  } catch {
    return [];
  }
}
