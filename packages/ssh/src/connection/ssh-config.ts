import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import { systemErrorCode } from "@anyproc/core";
import SSHConfig, { glob } from "ssh-config";
import { invalidOption } from "../errors.ts";

/** What ssh_config(5) says about one host; the rest of its keywords does not concern us. */
export interface HostConfig {
  readonly hostName?: string;
  readonly user?: string;
  readonly port?: number;
  readonly identityFiles: readonly string[];
  readonly identityAgent?: string;
  readonly proxyJump?: string;
  readonly proxyCommand?: string;
  readonly knownHostsFiles?: readonly string[];
  readonly globalKnownHostsFiles?: readonly string[];
  readonly hostKeyAlias?: string;
  /** Undefined where a person would be asked. */
  readonly acceptNew?: boolean;
}

// ssh_config(5), "Include": deeper nesting is a loop.
const maxIncludeDepth = 16;

/**
 * Looks a host up in ssh configuration files; the first value found counts. Files that do not exist are passed over.
 * `Match exec` never matches: looking something up runs no programs.
 */
export async function readHostConfig(files: readonly string[], host: string, user?: string): Promise<HostConfig> {
  const texts = await Promise.all(files.map((file) => readWithIncludes(file, dirname(file), 0)));
  const found = SSHConfig.parse(texts.join("\n")).compute(
    { Host: host, ...(user !== undefined && { User: user }) },
    { ignoreCase: true, matchExec: false },
  );
  const list = (name: string): string[] => [found[name] ?? []].flat();
  const one = (name: string): string | undefined => list(name)[0];
  const optional = <T>(key: string, value: T | undefined): { [key: string]: T } =>
    value === undefined ? {} : { [key]: value };

  const hostName = one("hostname")?.replaceAll(/%[h%]/g, (token) => (token === "%h" ? host : "%"));
  const remoteUser = user ?? one("user");
  const port = toPort(one("port"), host);
  const expand = (path: string): string => expandPath(path, { host: hostName ?? host, alias: host, port, remoteUser });
  const files_ = (name: string): string[] | undefined =>
    found[name] === undefined
      ? undefined
      : list(name)
          .filter((path) => path !== "none")
          .map(expand);
  return {
    ...optional("hostName", hostName),
    ...optional("user", remoteUser),
    ...optional("port", port),
    identityFiles: files_("identityfile") ?? [],
    ...optional("identityAgent", one("identityagent")?.replace(/^(?!none$|SSH_AUTH_SOCK$|\$).*/, expand)),
    ...optional("proxyJump", one("proxyjump")),
    ...optional("proxyCommand", one("proxycommand")),
    ...optional("knownHostsFiles", files_("userknownhostsfile")),
    ...optional("globalKnownHostsFiles", files_("globalknownhostsfile")),
    ...optional("hostKeyAlias", one("hostkeyalias")),
    ...optional("acceptNew", acceptances[one("stricthostkeychecking")?.toLowerCase() ?? "ask"]),
  };
}

// ssh_config(5), "StrictHostKeyChecking"; what would accept a changed key is taken as accept-new.
const acceptances: Readonly<Record<string, boolean>> = { "accept-new": true, no: true, off: true, yes: false };

/** `~`, and the tokens of ssh_config(5) that paths are written with. */
function expandPath(
  path: string,
  names: { host: string; alias: string; port: number | undefined; remoteUser: string | undefined },
): string {
  const tokens: Readonly<Record<string, string | undefined>> = {
    "%%": "%",
    "%d": homedir(),
    "%h": names.host,
    "%n": names.alias,
    "%p": String(names.port ?? 22),
    "%r": names.remoteUser,
    "%u": process.env["USER"],
  };
  return path.replace(/^~(?=\/|$)/, homedir()).replaceAll(/%./g, (token) => tokens[token] ?? token);
}

function toPort(text: string | undefined, host: string): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw invalidOption(`the ssh configuration of ${host}: Port ${text} is no port number: give 1 to 65535`);
}

async function readWithIncludes(file: string, base: string, depth: number): Promise<string> {
  if (depth > maxIncludeDepth) throw invalidOption(`${file}: Include goes round in a circle: take one of them out`);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return "";
    throw invalidOption(`${file}: the ssh configuration cannot be read: fix its permissions`, error);
  }
  const lines = text.split("\n").map(async (line) => {
    const include = /^\s*Include[\s=]+(.*)$/i.exec(line);
    if (!include) return line;
    const patterns = (include[1] ?? "").match(/"[^"]*"|\S+/g) ?? [];
    const paths = (await Promise.all(patterns.map((pattern) => findFiles(pattern.replaceAll('"', ""), base)))).flat();
    return (await Promise.all(paths.map((path) => readWithIncludes(path, base, depth + 1)))).join("\n");
  });
  return (await Promise.all(lines)).join("\n");
}

/** Files of an Include pattern; wildcards stand in the last part of the path only. */
async function findFiles(pattern: string, base: string): Promise<string[]> {
  const expanded = pattern.replace(/^~(?=\/|$)/, homedir());
  const path = isAbsolute(expanded) ? expanded : join(base, expanded);
  if (!/[*?]/.test(path)) return [path];
  const names = await readdir(dirname(path)).catch(() => []);
  return names
    .filter((name) => !name.startsWith(".") && glob(basename(path), name))
    .sort()
    .map((name) => join(dirname(path), name));
}
