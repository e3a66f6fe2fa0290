import { isIPv6 } from "node:net";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { unsupported } from "@anyproc/core";
import { invalidOption } from "../errors.ts";
import type { SshAuthentication, SshDestination, SshOptions } from "../options.ts";
import type { HostKeyPolicy } from "./host-keys.ts";
import { type HostConfig, readHostConfig } from "./ssh-config.ts";

/** A server with everything about it decided. */
export interface Destination {
  /** `user@host:port`, for messages. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly auth: SshAuthentication;
  /** Key files to try although nobody named them: one that is missing is no error. */
  readonly usualKeys: readonly string[];
  readonly hostKey: HostKeyPolicy;
}

// More of them are a circle.
const maxJumps = 16;

/** The way to a server: the hosts to go through, then the server. */
export async function resolveRoute(options: SshOptions): Promise<[Destination, ...Destination[]]> {
  const configFiles = options.config === false ? [] : [options.config ?? defaultConfigFiles()].flat();
  const trust = { knownHosts: options.knownHosts, acceptNew: options.acceptNew };
  const inherited = Object.fromEntries(Object.entries(trust).filter(([, value]) => value !== undefined));
  const target = await resolveDestination(options, configFiles);
  const carriers: Destination[] = [];
  let jumps = options.jump ?? configuredJumps(options.host, target.config);
  // As with ssh(1), the first of them may have to be gone to through others, if its own configuration says so.
  while (jumps.length > 0) {
    if (carriers.length > maxJumps) throw invalidOption(`${options.host}: ProxyJump goes round in a circle: mend it`);
    const asked = jumps.map((jump) => (typeof jump === "string" ? parseDestination(jump) : jump));
    const resolved = await Promise.all(
      asked.map((jump) => resolveDestination({ ...inherited, ...jump }, configFiles, options.jumpAuth)),
    );
    carriers.unshift(...resolved.map(({ destination }) => destination));
    const host = asked[0]?.host ?? "";
    const before = configuredJumps(host, resolved[0]?.config);
    // `Host *` may send everybody through a host that it covers itself.
    jumps = before.some((jump) => parseDestination(jump).host === host) ? [] : before;
  }
  const [first, ...others] = [...carriers, target.destination];
  return [first as Destination, ...others];
}

/** Reads `[user@]host[:port]`; an IPv6 address stands in brackets when a port follows. */
export function parseDestination(text: string): SshDestination {
  const match = /^(?:(\S+)@)?(?:\[([^\]]+)\]|([^\s:@[\]]+)|([0-9a-f:]+))(?::(\d+))?$/i.exec(text);
  const host = match?.[2] ?? match?.[3] ?? match?.[4];
  const isAddress = match?.[4] === undefined || isIPv6(match[4]);
  if (!match || host === undefined || !isAddress) {
    throw invalidOption(`${JSON.stringify(text)} names no SSH server: write [user@]host[:port]`);
  }
  return {
    host,
    ...(match[1] !== undefined && { user: match[1] }),
    ...(match[5] !== undefined && { port: checkPort(Number(match[5])) }),
  };
}

async function resolveDestination(
  options: SshDestination,
  configFiles: readonly string[],
  usualAuth?: SshOptions["jumpAuth"],
): Promise<{ destination: Destination; config: HostConfig }> {
  if (typeof options.host !== "string" || options.host === "" || /[\s\0]/.test(options.host)) {
    throw invalidOption(`host ${JSON.stringify(options.host)}: name the SSH server to connect to`);
  }
  const config = await readHostConfig(configFiles, options.host, options.user);
  const host = config.hostName ?? options.host;
  const port = checkPort(options.port ?? config.port ?? 22);
  const user = options.user ?? config.user ?? userInfo().username;
  const name = `${user}@${options.host}${port === 22 ? "" : `:${port}`}`;
  const auth = options.auth ?? usualAuth?.(name) ?? {};
  // A password that has yet to be asked for is what is left when nothing else lets us in.
  const isAsked = auth.privateKeys !== undefined || typeof auth.password === "string";
  const agent = auth.agent ?? (isAsked ? false : configuredAgent(config.identityAgent));
  return {
    config,
    destination: {
      name,
      host,
      port,
      user,
      auth: { ...auth, agent: agent || false },
      usualKeys: isAsked ? [] : config.identityFiles.length > 0 ? config.identityFiles : defaultKeyFiles(),
      hostKey: {
        host: config.hostKeyAlias ?? host,
        port: config.hostKeyAlias === undefined ? port : 22,
        files:
          options.knownHosts === undefined
            ? [
                ...(config.knownHostsFiles ?? [inSshDirectory("known_hosts"), inSshDirectory("known_hosts2")]),
                ...(config.globalKnownHostsFiles ?? ["/etc/ssh/ssh_known_hosts"]),
              ]
            : [options.knownHosts].flat(),
        acceptNew: decided(options.acceptNew) ?? config.acceptNew ?? options.acceptNew ?? false,
      },
    },
  };
}

/** Who is asked need not be, where the configuration says what to do. */
function decided(acceptNew: SshDestination["acceptNew"]): boolean | undefined {
  return typeof acceptNew === "function" ? undefined : acceptNew;
}

function configuredJumps(host: string, { proxyJump, proxyCommand }: Partial<HostConfig> = {}): string[] {
  if (proxyJump !== undefined) {
    return /^none$/i.test(proxyJump) ? [] : proxyJump.split(",").map((jump) => jump.trim().replace(/^ssh:\/\//, ""));
  }
  if (proxyCommand === undefined || /^none$/i.test(proxyCommand)) return [];
  throw unsupported(`ssh to ${host}`, "ProxyCommand", "name the hosts to go through in ProxyJump or jump; [] for none");
}

function configuredAgent(identityAgent: string | undefined): string | false | undefined {
  if (identityAgent === "none") return false;
  if (identityAgent === undefined || identityAgent === "SSH_AUTH_SOCK") return process.env["SSH_AUTH_SOCK"];
  return identityAgent.startsWith("$") ? process.env[identityAgent.slice(1)] : identityAgent;
}

function checkPort(port: number): number {
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw invalidOption(`port ${port} is no port number: give 1 to 65535`);
}

function defaultConfigFiles(): string[] {
  return [inSshDirectory("config"), "/etc/ssh/ssh_config"];
}

function defaultKeyFiles(): string[] {
  return ["id_ed25519", "id_ecdsa", "id_rsa"].map(inSshDirectory);
}

function inSshDirectory(name: string): string {
  return join(homedir(), ".ssh", name);
}
