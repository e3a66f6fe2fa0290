import type { Environment } from "@anyproc/core";
import type { SshAuthentication, SshEnvironment } from "@anyproc/ssh";
import { UsageError } from "../usage-error.ts";
import { loadPackage } from "./load-package.ts";
import type { EnvironmentOptions } from "./options.ts";

/** The package that brings this environment. */
export const sshPackage = "@anyproc/ssh";

/** The options about how to enter a machine, whichever subcommand they are given to. */
export type SshOptions = Pick<EnvironmentOptions, "identity" | "passwordEnv" | "knownHosts" | "acceptNew" | "jump">;

/** Another machine. */
export async function sshEnvironment(options: EnvironmentOptions): Promise<Environment> {
  if (!options.host) throw new UsageError("ssh: no machine: name it with --host [USER@]HOST[:PORT]");
  return enterMachine(options.host, options);
}

/** Connects to `[user@]host[:port]`, or to a Host of ~/.ssh/config. */
export async function enterMachine(host: string, options: SshOptions): Promise<SshEnvironment> {
  const { connectSsh, parseDestination } = await loadPackage(sshPackage, () => import("@anyproc/ssh"));
  return connectSsh({
    ...parseDestination(host),
    auth: authentication(options),
    ...(options.jump && { jump: options.jump }),
    ...(options.knownHosts !== undefined && { knownHosts: options.knownHosts }),
    ...(options.acceptNew && { acceptNew: true }),
  });
}

function authentication({ identity, passwordEnv }: SshOptions): SshAuthentication {
  const password = passwordEnv === undefined ? undefined : process.env[passwordEnv];
  if (passwordEnv !== undefined && password === undefined) {
    throw new UsageError(`--password-env ${passwordEnv}: there is no such variable: set it to the password`);
  }
  return {
    ...(identity && { privateKeys: identity.map((path) => ({ path })) }),
    ...(password !== undefined && { password }),
  };
}
