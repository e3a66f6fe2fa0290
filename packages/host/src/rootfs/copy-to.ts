import { sep } from "node:path";
import { AnyprocError, copyRootfs, type Rootfs, type RootfsOptions, type RootfsReport } from "@anyproc/core";
import type { HostRootfs } from "./open-rootfs.ts";

/** Copies a directory into another rootfs. */
export async function copyTo(from: HostRootfs, to: Rootfs, options: RootfsOptions): Promise<RootfsReport> {
  const { directory } = to as Partial<HostRootfs>;
  if (directory !== undefined && `${directory}${sep}`.startsWith(`${from.directory}${sep}`)) {
    throw new AnyprocError(
      "ANYPROC_INVALID_OPTION",
      `${from.name} cannot be copied into itself: choose another target`,
    );
  }
  return copyRootfs(from, to, options);
}
