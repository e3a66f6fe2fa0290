import { type Capabilities, defineEnvironment, type Environment, type FileSystem } from "@anyproc/core";
import { startCommand } from "./command/start-command.ts";
import type { ConnectionSource } from "./connection/connection-source.ts";
import { remoteFiles } from "./files/remote-files.ts";
import { SftpSource } from "./files/sftp-source.ts";
import type { SessionOptions } from "./options.ts";

const capabilities: Capabilities = {
  pty: true,
  inherit: false,
  signals: "all",
  user: true,
  files: true,
  binaryArguments: true,
  pid: "none",
  tree: "found",
};

/** A remote machine: programs and files. */
export interface SshEnvironment extends Environment {
  readonly fs: FileSystem;
}

/** The environment over a connection. */
export function createSession(source: ConnectionSource, options: SessionOptions): SshEnvironment {
  const fs = remoteFiles(new SftpSource(source));
  const environment = defineEnvironment({
    name: `ssh:${source.latest.name}`,
    capabilities,
    start: async (command) => startCommand(await source.current(), command, options),
    fs,
    release: () => source.close(),
  });
  return Object.assign(environment, { fs });
}
