import { registerEnvironment } from "@anyproc/core";
import { createHost, type HostOptions } from "./create-host.ts";

export { createHost, type HostOptions } from "./create-host.ts";
export { type HostRootfs, type OpenRootfsOptions, openRootfs } from "./rootfs/open-rootfs.ts";

for (const name of ["host", "os"]) {
  registerEnvironment(name, (options) => createHost(options as HostOptions | undefined), { owner: "@anyproc/host" });
}
