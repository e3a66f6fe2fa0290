import { readFile } from "node:fs/promises";
import { systemErrorCode } from "@anyproc/core";
import { imageError, reasonOf } from "../errors.ts";
import { type CredentialsLookup, findCredentials } from "./credentials.ts";
import { createEndpoint, type RegistryEndpoint } from "./endpoint.ts";
import { createHttpClient, dropBody, type HttpClient } from "./http.ts";
import { isLoopback } from "./proxy.ts";
import type { RegistryOptions } from "./registry-options.ts";
import type { RetryOptions } from "./retry.ts";

/** The ways to one registry: its mirrors, then itself. */
export interface RegistryConnection {
  readonly mirrors: readonly RegistryEndpoint[];
  readonly endpoint: RegistryEndpoint;
  readonly http: HttpClient;
  readonly retry: RetryOptions;
  close(): void;
}

/**
 * Prepares to speak to a registry. Nothing is sent yet, but for a loopback address, where it is tried whether https is
 * spoken.
 *
 * @throws ANYPROC_INVALID_OPTION
 */
export async function connectRegistry(
  registry: string,
  options: RegistryOptions = {},
  signal?: AbortSignal,
): Promise<RegistryConnection> {
  const ca = await Promise.all((options.caFiles ?? []).map(readCa));
  const http = createHttpClient({ ca, idleTimeoutMs: options.idleTimeoutMs ?? 30_000 });
  const retry = retryOptions(options);
  const own: CredentialsLookup = async (name) => options.credentials ?? (await findCredentials(name));
  const base = await baseAddress(registry, options.plainHttp, http, signal);
  const mirrors = (options.mirrors?.[registry] ?? []).map((address) => {
    const mirror = mirrorAddress(address);
    return createEndpoint({
      name: mirror.host,
      base: mirror,
      http,
      retry,
      credentials: (name) => findCredentials(name),
    });
  });
  const endpoint = createEndpoint({ name: registry, base, http, retry, credentials: own });
  return { mirrors, endpoint, http, retry, close: () => http.close() };
}

/** The options of repetition, with their defaults. */
export function retryOptions(options: RegistryOptions): RetryOptions {
  return {
    retries: options.retries ?? 5,
    delayMs: options.retryDelayMs ?? 300,
    mostDelayMs: options.mostRetryDelayMs ?? 60_000,
  };
}

async function baseAddress(
  registry: string,
  plainHttp: boolean | undefined,
  http: HttpClient,
  signal: AbortSignal | undefined,
): Promise<URL> {
  // Docker Hub's API has another name than the one in its references.
  const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
  const secure = new URL(`https://${host}`);
  const plain = new URL(`http://${host}`);
  if (plainHttp === true) return plain;
  if (plainHttp === false || !isLoopback(secure.hostname)) return secure;
  try {
    await dropBody(await http.send({ method: "GET", url: new URL("/v2/", secure), signal }));
    return secure;
  } catch (error) {
    signal?.throwIfAborted();
    // What a server that speaks plain http makes of a TLS greeting; a bad certificate is no reason to go without.
    return ["EPROTO", "ECONNRESET"].includes(systemErrorCode(error) ?? "") ? plain : secure;
  }
}

function mirrorAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === "https:" || url.protocol === "http:")) return url;
  throw imageError("ANYPROC_INVALID_OPTION", `mirror ${JSON.stringify(text)}: give an https:// address`);
}

async function readCa(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw imageError("ANYPROC_INVALID_OPTION", `CA file ${path}: ${reasonOf(error)}`, error);
  }
}
