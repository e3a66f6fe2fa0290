import type { Capabilities } from "@anyproc/core";

/** What programs in a running container can do. */
export const execCapabilities: Capabilities = {
  pty: true,
  inherit: false,
  signals: "all",
  user: true,
  files: false,
  binaryArguments: false,
  pid: "none",
  tree: "found",
  orphans: "live",
};
