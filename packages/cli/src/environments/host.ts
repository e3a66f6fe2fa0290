import type { Environment } from "@anyproc/core";
import type { EnvironmentOptions } from "./options.ts";

/** This machine. */
export async function hostEnvironment({ chroot }: EnvironmentOptions): Promise<Environment> {
  const { createHost } = await import("@anyproc/host");
  return createHost(chroot === undefined ? {} : { rootfs: chroot, chroot: true });
}
