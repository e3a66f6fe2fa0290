import type { Environment } from "@anyproc/core";
import type { SshAuthentication, SshEnvironment } from "@anyproc/ssh";
import { UsageError } from "../usage-error.ts";
import { isPersonThere } from "./ask.ts";
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

/** Connects to `[user@]host[:port]`, or to a Host of ~/.ssh/config. Where a person is there, what is missing is asked. */
export async function enterMachine(host: string, options: SshOptions, signal?: AbortSignal): Promise<SshEnvironment> {
  const { connectSsh, parseDestination } = await loadPackage(sshPackage, () => import("@anyproc/ssh"));
  const questions = isPersonThere() ? await import("./ssh-questions.ts") : undefined;
  return connectSsh({
    ...parseDestination(host),
    auth: authentication(host, options, questions),
    ...(options.jump && { jump: options.jump }),
    ...(questions && { jumpAuth: questions.askingAuthentication }),
    ...(options.knownHosts !== undefined && { knownHosts: options.knownHosts }),
    ...(questions && { acceptNew: questions.askAboutHost }),
    ...(options.acceptNew && { acceptNew: true }),
    ...(signal && { signal }),
  });
}

function authentication(
  host: string,
  { identity, passwordEnv }: SshOptions,
  questions: typeof import("./ssh-questions.ts") | undefined,
): SshAuthentication {
  const password = passwordEnv === undefined ? undefined : process.env[passwordEnv];
  if (passwordEnv !== undefined && password === undefined) {
    throw new UsageError(`--password-env ${passwordEnv}: there is no such variable: set it to the password`);
  }
  const passphraseOf = (path: string) => questions && { passphrase: () => questions.askPassphrase(path) };
  return {
    ...(password === undefined ? questions?.askingAuthentication(host) : { password }),
    ...(identity && { privateKeys: identity.map((path) => ({ path, ...passphraseOf(path) })) }),
  };
}
