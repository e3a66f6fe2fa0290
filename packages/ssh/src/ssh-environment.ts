import { type Capabilities, defineEnvironment, type Environment } from "@anyproc/core";
import { startCommand } from "./command/start-command.ts";
import type { ConnectionSource } from "./connection/connection-source.ts";
import type { SessionOptions } from "./options.ts";

const capabilities: Capabilities = {
  pty: true,
  inherit: false,
  signals: "all",
  user: true,
  files: false,
  binaryArguments: true,
  pid: "none",
  tree: "found",
};

/** A remote machine: programs and files. */
export interface SshEnvironment extends Environment {}

/** The environment over a connection. */
export function createSession(source: ConnectionSource, options: SessionOptions): SshEnvironment {
  return defineEnvironment({
    name: `ssh:${source.latest.name}`,
    capabilities,
    start: async (command) => startCommand(await source.current(), command, options),
    release: () => source.close(),
  });
}
