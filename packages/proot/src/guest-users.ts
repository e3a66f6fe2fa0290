import { AnyprocError, type FileSystem, type UserIds } from "@anyproc/core";
import type { ProotOptions } from "./options.ts";

/** Who a guest command runs as, and where that user's home is. */
export interface GuestUser {
  /** Undefined: the host's own ids are left alone. */
  readonly id: { readonly uid: number; readonly gid: number } | undefined;
  readonly home: string;
}

/**
 * Finds the identity for a command: its own `user`, by number or by a name in the guest's /etc/passwd, else the
 * environment's `id`.
 *
 * @throws ANYPROC_INVALID_OPTION for a name that the guest does not know
 */
export async function guestUser(
  files: FileSystem,
  id: ProotOptions["id"],
  user: UserIds | string | undefined,
): Promise<GuestUser> {
  const wanted = user ?? id ?? "root";
  if (user === undefined && wanted === "root") return { id: { uid: 0, gid: 0 }, home: "/root" };
  if (user === undefined && wanted === "host") return { id: undefined, home: "/" };
  const rows = await passwd(files);
  if (typeof wanted === "string") {
    const row = rows.find(([name]) => name === wanted);
    if (!row) {
      throw new AnyprocError(
        "ANYPROC_INVALID_OPTION",
        `user ${wanted}: the guest's /etc/passwd does not know this name: add it there, or give numbers`,
      );
    }
    return { id: { uid: Number(row[2]), gid: Number(row[3]) }, home: row[5] ?? "/" };
  }
  const row = rows.find(([, , uid]) => Number(uid) === wanted.uid);
  return { id: { uid: wanted.uid, gid: wanted.gid ?? Number(row?.[3] ?? wanted.uid) }, home: row?.[5] ?? "/" };
}

// passwd(5): name:password:uid:gid:comment:home:shell
async function passwd(files: FileSystem): Promise<string[][]> {
  const text = await files.readFile("/etc/passwd").catch(() => "");
  return String(text)
    .split("\n")
    .map((line) => line.split(":"))
    .filter((fields) => fields.length >= 6);
}
