import { realpath, stat } from "node:fs/promises";
import { AnyprocError, systemErrorCode } from "@anyproc/core";

/**
 * The canonical path of the directory that becomes the guest's `/`.
 *
 * @throws ANYPROC_ROOTFS_NOT_FOUND, ANYPROC_ROOTFS_INVALID
 */
export async function resolveRootfs(directory: string): Promise<string> {
  let rootfs: string;
  try {
    rootfs = await realpath(directory);
    if ((await stat(rootfs)).isDirectory()) return rootfs;
  } catch (error) {
    const reason = systemErrorCode(error) === "EACCES" ? "you may not enter it" : "there is no such directory";
    throw new AnyprocError(
      "ANYPROC_ROOTFS_NOT_FOUND",
      `rootfs ${directory}: ${reason}: give the directory that a root filesystem was unpacked into`,
      { cause: error },
    );
  }
  throw new AnyprocError("ANYPROC_ROOTFS_INVALID", `rootfs ${directory}: is a file: unpack it, and give the directory`);
}
