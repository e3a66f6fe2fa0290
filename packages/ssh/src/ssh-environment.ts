import { type Capabilities, defineEnvironment, type Environment, type FileSystem, type Starter } from "@anyproc/core";
import { startCommand } from "./command/start-command.ts";
import { unlessGivenUp } from "./command/unless-given-up.ts";
import type { ConnectionSource } from "./connection/connection-source.ts";
import { remoteFiles } from "./files/remote-files.ts";
import { SftpSource } from "./files/sftp-source.ts";
import { type ForwardOptions, forwardLocal, forwardRemote, type PortForward } from "./forward/forward.ts";
import type { SessionOptions } from "./options.ts";
import { type SshRootfs, sshRootfs } from "./rootfs/ssh-rootfs.ts";

const capabilities: Capabilities = {
  pty: true,
  inherit: false,
  signals: "all",
  user: true,
  files: true,
  binaryArguments: true,
  pid: "none",
  tree: "found",
  orphans: "live",
};

/** A remote machine: programs and files. */
export interface SshEnvironment extends Environment {
  readonly fs: FileSystem;
  /**
   * A directory on the server, to keep in step with one here and to run programs in.
   *
   * @throws ANYPROC_INVALID_OPTION unless the path is absolute
   */
  rootfs(path: string): SshRootfs;
  /**
   * Listens on this machine; the server connects on from there.
   *
   * @throws ANYPROC_FORWARD_FAILED
   */
  forwardLocal(options: ForwardOptions): Promise<PortForward>;
  /**
   * Lets the server listen; connections lead to this machine, or on from it. Ends with the connection.
   *
   * @throws ANYPROC_FORWARD_FAILED, ANYPROC_CONNECTION_LOST
   */
  forwardRemote(options: ForwardOptions): Promise<PortForward>;
}

/** The environment over a connection. */
export function createSession(source: ConnectionSource, options: SessionOptions): SshEnvironment {
  const sftp = new SftpSource(source);
  const fs = remoteFiles(sftp);
  const start: Starter = async (command, giveUp) =>
    startCommand(await unlessGivenUp(source.current(), giveUp), command, options, giveUp);
  const forwards = new Set<PortForward>();
  const tracked = async (opening: Promise<PortForward>): Promise<PortForward> => {
    const forward = await opening;
    forwards.add(forward);
    return forward;
  };
  const environment = defineEnvironment({
    name: `ssh:${source.latest.name}`,
    capabilities,
    start,
    fs,
    release: async () => {
      await Promise.all([...forwards].map((forward) => forward.close()));
      await source.close();
    },
  });
  return Object.assign(environment, {
    fs,
    rootfs: (path: string) => sshRootfs({ environment, sftp, files: fs, start }, path),
    forwardLocal: (forward: ForwardOptions) => tracked(forwardLocal(source, forward)),
    forwardRemote: (forward: ForwardOptions) => tracked(forwardRemote(source, forward)),
  });
}
