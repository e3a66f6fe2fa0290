import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { invalidOption } from "../errors.ts";
import { type Certificates, certificatesOf, readCertificates } from "./certificates.ts";
import { readContext } from "./context.ts";
import { configDirectory, readDockerConfig } from "./docker-config.ts";
import type { DockerConnectionOptions } from "./options.ts";

/** Where a daemon listens. */
export type Endpoint =
  | { readonly kind: "socket"; readonly name: string; readonly path: string }
  | {
      readonly kind: "tcp";
      readonly name: string;
      readonly host: string;
      readonly port: number;
      readonly certificates: Certificates | undefined;
    }
  | {
      readonly kind: "ssh";
      readonly name: string;
      readonly host: string;
      readonly port: number | undefined;
      readonly user: string | undefined;
      /** The daemon's socket over there; undefined for the usual one. */
      readonly path: string | undefined;
    };

/**
 * Finds the daemon in docker(1)'s order: what is asked for, DOCKER_HOST, DOCKER_CONTEXT, the current context, the local
 * socket.
 *
 * @throws ANYPROC_INVALID_OPTION
 */
export async function resolveEndpoint(
  options: DockerConnectionOptions,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Endpoint> {
  if (options.host !== undefined && options.context !== undefined) {
    throw invalidOption("host and context both name a daemon: leave one of them out");
  }
  const tls = options.tls === undefined ? undefined : await certificatesOf(options.tls);
  const host = options.host ?? (options.context === undefined ? env["DOCKER_HOST"] || undefined : undefined);
  if (host !== undefined) return parseHost(host, tls ?? (await environmentCertificates(env)));
  const context = options.context ?? (env["DOCKER_CONTEXT"] || (await readDockerConfig(env))["currentContext"]);
  if (typeof context !== "string" || context === "" || context === "default") return localSocket(env);
  const found = await readContext(context, env);
  return parseHost(found.host, tls ?? found.certificates);
}

/** Reads one line in the syntax of DOCKER_HOST. @throws ANYPROC_INVALID_OPTION */
export function parseHost(text: string, certificates?: Certificates): Endpoint {
  const [, scheme = "tcp", rest = text] = /^([a-z]+):\/\/(.*)$/s.exec(text) ?? [];
  if (scheme === "unix" || scheme === "npipe") {
    if (rest === "") throw invalidHost(text, "there is no path");
    return { kind: "socket", name: text, path: rest };
  }
  if (!["tcp", "http", "https", "ssh"].includes(scheme)) throw invalidHost(text, `${scheme}:// is no known transport`);
  let url: URL;
  try {
    // A scheme that URL knows would lose its default port.
    url = new URL(`docker://${rest}`);
  } catch {
    throw invalidHost(text, "it does not name a host");
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? undefined : Number(url.port);
  if (host === "") throw invalidHost(text, "it does not name a host");
  if (url.password !== "") throw invalidHost(text, "a password does not belong there");
  if (scheme === "ssh") {
    const user = url.username === "" ? undefined : decodeURIComponent(url.username);
    const path = url.pathname === "" || url.pathname === "/" ? undefined : decodeURIComponent(url.pathname);
    return { kind: "ssh", name: text, host, port, user, path };
  }
  if (url.pathname !== "" && url.pathname !== "/") throw invalidHost(text, "a path does not belong there");
  const secure = certificates ?? (scheme === "https" ? {} : undefined);
  return { kind: "tcp", name: text, host, port: port ?? (secure ? 2376 : 2375), certificates: secure };
}

function invalidHost(text: string, reason: string): Error {
  // A password may have any character in it, "@" and ":" too.
  const shown = JSON.stringify(text.replace(/^([a-z]+:\/\/)?.*@/s, "$1...@"));
  return invalidOption(
    `docker host ${shown}: ${reason}: write unix:///run/docker.sock, tcp://host:2376 or ssh://user@host`,
  );
}

async function environmentCertificates(env: NodeJS.ProcessEnv): Promise<Certificates | undefined> {
  if (!env["DOCKER_TLS_VERIFY"] && !env["DOCKER_TLS"]) return undefined;
  const directory = env["DOCKER_CERT_PATH"] || configDirectory(env);
  const certificates = await readCertificates(directory);
  return env["DOCKER_TLS_VERIFY"] ? certificates : { ...certificates, verify: false };
}

function localSocket(env: NodeJS.ProcessEnv): Endpoint {
  if (process.platform === "win32") {
    return { kind: "socket", name: "npipe:////./pipe/docker_engine", path: "//./pipe/docker_engine" };
  }
  const usual = "/var/run/docker.sock";
  const runtime = env["XDG_RUNTIME_DIR"];
  // Those of a daemon without root, and of Docker Desktop.
  const others = [...(runtime ? [join(runtime, "docker.sock")] : []), join(homedir(), ".docker/run/docker.sock")];
  const path = [usual, ...others].find((candidate) => existsSync(candidate)) ?? usual;
  return { kind: "socket", name: `unix://${path}`, path };
}
