import type { Rootfs, RootfsOptions, RootfsReport } from "./rootfs.ts";

/** Streams one rootfs into another, and adds up what both sides could not keep: what copyTo() of every rootfs does. */
export async function copyRootfs(
  from: Pick<Rootfs, "exportTar">,
  to: Pick<Rootfs, "importTar">,
  options?: RootfsOptions,
): Promise<RootfsReport> {
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
