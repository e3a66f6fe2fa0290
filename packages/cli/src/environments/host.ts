import type { Environment } from "@anyproc/core";
import { createHost } from "@anyproc/host";
import type { EnvironmentOptions } from "./options.ts";

/** This machine. */
export function hostEnvironment({ chroot }: EnvironmentOptions): Environment {
  return createHost(chroot === undefined ? {} : { rootfs: chroot, chroot: true });
}
