import { registerEnvironment, registeredEnvironments } from "@anyproc/core";
import { connectSshByName } from "./connect-ssh.ts";

export { connectSsh, fromSshClient } from "./connect-ssh.ts";
export { parseDestination } from "./connection/destination.ts";
export type { ForwardOptions, PortForward } from "./forward/forward.ts";
export type {
  PrivateKey,
  Prompt,
  ReconnectOptions,
  Secret,
  SessionOptions,
  SshAuthentication,
  SshDestination,
  SshOptions,
  UnknownHost,
} from "./options.ts";
export type { SshRootfs } from "./rootfs/ssh-rootfs.ts";
export type { SyncOptions, SyncProgress, SyncReport } from "./rootfs/sync-options.ts";
export type { SshEnvironment } from "./ssh-environment.ts";

// Another copy of this package may be loaded already: either one serves.
if (!registeredEnvironments().includes("ssh")) registerEnvironment("ssh", connectSshByName);
