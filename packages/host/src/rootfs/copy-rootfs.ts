import { sep } from "node:path";
import { AnyprocError, type Rootfs, type RootfsOptions, type RootfsReport } from "@anyproc/core";
import type { HostRootfs } from "./open-rootfs.ts";

/** Streams one rootfs into another, and adds up what both sides could not keep. */
export async function copyRootfs(from: HostRootfs, to: Rootfs, options: RootfsOptions): Promise<RootfsReport> {
  const { directory } = to as Partial<HostRootfs>;
  if (directory !== undefined && `${directory}${sep}`.startsWith(`${from.directory}${sep}`)) {
    throw new AnyprocError(
      "ANYPROC_INVALID_OPTION",
      `${from.name} cannot be copied into itself: choose another target`,
    );
  }
  const { tar, report } = from.exportTar(options);
  try {
    const imported = await to.importTar(tar, options);
    const exported = await report;
    return {
      ...imported,
      losses: [...exported.losses, ...imported.losses],
      lossCount: exported.lossCount + imported.lossCount,
    };
  } finally {
    tar.destroy();
  }
}
