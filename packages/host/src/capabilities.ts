import type { Capabilities } from "@anyproc/core";
import { isPtyInstalled } from "./load-pty.ts";

/** What this machine can do. */
export function hostCapabilities(): Capabilities {
  const isWindows = process.platform === "win32";
  return {
    // Elsewhere a missing library is reported as such when a terminal is asked for, with the command that installs it.
    pty: !isWindows || isPtyInstalled(),
    inherit: true,
    signals: isWindows ? "terminate" : "all",
    user: process.geteuid?.() === 0,
    files: true,
    binaryArguments: !isWindows,
    pid: "program",
    tree: "found",
    orphans: "live",
  };
}
