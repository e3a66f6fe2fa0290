import type { Duplex } from "node:stream";
import type { Client } from "ssh2";
import { type ConnectSettings, connectRoute } from "./connection/connect.ts";
import { Connection } from "./connection/connection.ts";
import { ConnectionSource, type Reconnection } from "./connection/connection-source.ts";
import { resolveRoute } from "./connection/destination.ts";
import { invalidOption } from "./errors.ts";
import type { SessionOptions, SshOptions } from "./options.ts";
import { createSession, type SshEnvironment } from "./ssh-environment.ts";

const usualTimeoutMs = 20_000;

/**
 * Connects to an SSH server: an environment that runs programs there.
 *
 * @example
 * const box = await connectSsh({ host: "box.example.org", user: "deploy" });
 * const { stdout } = await exec(box, ["uname", "-a"]);
 * @throws ANYPROC_HOST_UNREACHABLE, ANYPROC_CONNECTION_TIMEOUT, ANYPROC_HOST_KEY_UNKNOWN, ANYPROC_HOST_KEY_CHANGED,
 * ANYPROC_HOST_KEY_REVOKED, ANYPROC_AUTHENTICATION_FAILED, ANYPROC_PRIVATE_KEY_INVALID, ANYPROC_INVALID_OPTION; the
 * signal's reason
 */
export async function connectSsh(options: SshOptions): Promise<SshEnvironment> {
  const settings: ConnectSettings = {
    timeoutMs: checkDuration(options.timeoutMs ?? usualTimeoutMs, "timeoutMs"),
    keepAliveMs: checkDuration(options.keepAliveMs ?? 15_000, "keepAliveMs"),
    signal: options.signal,
  };
  const route = await resolveRoute(options);
  const name = route.at(-1)?.name ?? options.host;
  const connect = async (signal: AbortSignal | undefined): Promise<Connection> =>
    new Connection(name, await connectRoute(route, { ...settings, signal }), settings.timeoutMs);
  const reconnection: Reconnection | undefined = options.reconnect
    ? { ...(options.reconnect === true ? {} : options.reconnect), connect }
    : undefined;
  return createSession(new ConnectionSource(await connect(options.signal), reconnection), options);
}

/**
 * The same environment on an ssh2 client that is connected already, for instance `client` of an ssh2-sftp-client.
 * Closing the environment ends the client.
 *
 * @throws ANYPROC_INVALID_OPTION when the client is not connected
 */
export function fromSshClient(client: Client, options: SessionOptions = {}): SshEnvironment {
  client.setNoDelay(true);
  // ssh2's own destroy() does nothing once end() has been called.
  const { _sock: transport } = client as unknown as { readonly _sock?: Duplex };
  if (!transport) throw invalidOption("fromSshClient: the client is not connected: pass it after its ready event");
  const connection = new Connection("ssh", { client, transport, hangUp: () => transport.destroy() }, usualTimeoutMs);
  return createSession(new ConnectionSource(connection, undefined), options);
}

/** For the registry, whose options are not typed. */
export async function connectSshByName(options: Readonly<Record<string, unknown>> = {}): Promise<SshEnvironment> {
  if (typeof options["host"] !== "string") {
    throw invalidOption('ssh: which server? Pass { environment: { host: "box.example.org" } }');
  }
  return connectSsh(options as unknown as SshOptions);
}

function checkDuration(value: number, option: string): number {
  // setTimeout's own limit: a longer delay would fire at once.
  if (value >= 0 && value <= 2 ** 31 - 1) return value;
  throw invalidOption(`${option} is ${value}: give milliseconds between 0 and ${2 ** 31 - 1}`);
}
