import { describe } from "vitest";
import {
  type SshServer,
  type SshServerOptions,
  sshServerKinds,
  sshServerMissing,
  startSshServer,
} from "../../../tools/services/ssh.ts";
import { connectSsh, type SshEnvironment, type SshOptions } from "../src/index.ts";

export type { SshServer };
export { sshServerKinds, startSshServer };

const missing = sshServerMissing();
if (missing) console.warn(`tests against a real server are skipped: ${missing}`);

/** For tests that need a server. */
export const describeOnServer: typeof describe = missing ? (describe.skip as typeof describe) : describe;

/** Enters a test server by its user's key, with nothing taken from this machine's own configuration. */
export function enter(server: SshServer, options: Partial<SshOptions> = {}): Promise<SshEnvironment> {
  return connectSsh({ ...destination(server), ...options });
}

export function destination(server: SshServer): SshOptions {
  return {
    host: server.host,
    port: server.port,
    user: server.user,
    knownHosts: server.knownHosts,
    config: false,
    auth: { privateKeys: [{ path: server.privateKey }] },
  };
}

/** A server for a while. */
export async function withServer<T>(options: SshServerOptions, use: (server: SshServer) => Promise<T>): Promise<T> {
  const server = await startSshServer(options);
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

/** An environment for a while. */
export async function within<T>(
  entering: Promise<SshEnvironment>,
  use: (environment: SshEnvironment) => Promise<T>,
): Promise<T> {
  const environment = await entering;
  try {
    return await use(environment);
  } finally {
    await environment.close();
  }
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`rejected with ${String(error)}, which is no Error`);
  }
  throw new Error("resolved, although a rejection was expected");
}

/** Resolves once a condition holds; a condition that never does fails the test by its timeout. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}
