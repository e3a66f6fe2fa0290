import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import * as tls from "node:tls";
import { imageError } from "../errors.ts";
import { PlainAgent, SecureAgent } from "./agents.ts";
import { proxyAuthorization, proxyFor, TunnelAgent } from "./proxy.ts";

/** One request; nothing is retried, followed or authenticated here. */
export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | (() => Readable);
  readonly signal?: AbortSignal | undefined;
}

/** The answer, whose body has to be read or dropped. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
}

/** How servers are reached. */
export interface HttpOptions {
  /** Certificates in PEM form, on top of those that Node.js trusts. */
  readonly ca?: readonly string[];
  /** How long a server may say nothing, in milliseconds. */
  readonly idleTimeoutMs: number;
}

/** Sends requests over kept connections. */
export interface HttpClient {
  send(request: HttpRequest): Promise<HttpResponse>;
  close(): void;
}

/** The client: node:http with a CA, proxies from the environment, and an end to silence. */
export function createHttpClient({ ca, idleTimeoutMs }: HttpOptions): HttpClient {
  const trusted = ca && ca.length > 0 ? { ca: [...trustedByDefault(), ...ca] } : {};
  const agentOptions = { keepAlive: true, maxSockets: 16, ...trusted };
  const plain = new PlainAgent(agentOptions);
  const secure = new SecureAgent(agentOptions);
  const tunnels = new Map<string, TunnelAgent>();

  function tunnelThrough(proxy: URL): TunnelAgent {
    const known = tunnels.get(proxy.href);
    if (known) return known;
    const agent = new TunnelAgent(proxy, agentOptions);
    tunnels.set(proxy.href, agent);
    return agent;
  }

  function send({ method, url, headers, body, signal }: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const proxy = proxyFor(url);
      const isSecure = url.protocol === "https:";
      const options = {
        method,
        headers: { "user-agent": "anyproc", ...headers, ...(proxy && !isSecure && proxyHeaders(proxy, url)) },
        signal,
        timeout: idleTimeoutMs,
      };
      // RFC 9112: a proxy gets the whole address of an http server as the request target.
      const viaProxy = proxy && !isSecure && { hostname: proxy.hostname, port: proxy.port || 80, path: url.href };
      const outgoing = isSecure
        ? httpsRequest(url, { ...options, agent: proxy ? tunnelThrough(proxy) : secure })
        : httpRequest(url, { ...options, ...viaProxy, agent: plain });
      outgoing.once("timeout", () => {
        outgoing.destroy(new Error(`the server said nothing for ${Math.round(idleTimeoutMs / 1000)} s`));
      });
      outgoing.once("error", reject);
      outgoing.once("response", (response) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response });
      });
      if (typeof body === "function") {
        const stream = body();
        stream.once("error", (error) => outgoing.destroy(error));
        stream.pipe(outgoing);
      } else {
        outgoing.end(body);
      }
    });
  }

  return {
    send,
    close() {
      for (const agent of [plain, secure, ...tunnels.values()]) agent.destroy();
    },
  };
}

function proxyHeaders(proxy: URL, url: URL): Record<string, string> {
  return { host: url.host, ...proxyAuthorization(proxy) };
}

/** What Node.js trusts when nobody names a CA, which is given up with the first one that is named. */
function trustedByDefault(): readonly string[] {
  // Since Node.js 22.15; it knows NODE_EXTRA_CA_CERTS and the system's store too.
  return "getCACertificates" in tls
    ? tls.getCACertificates("default")
    : (tls as { rootCertificates: string[] }).rootCertificates;
}

/**
 * Reads a short body.
 *
 * @throws ANYPROC_IMAGE_LIMIT when it is longer than it may be
 */
export async function readBody(what: string, body: AsyncIterable<Buffer>, mostBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > mostBytes) {
      throw imageError("ANYPROC_IMAGE_LIMIT", `${what}: is longer than the ${mostBytes} bytes that it may have`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Reads a body to its end, so that the connection can be used again; gives up on a long one. */
export async function dropBody(response: HttpResponse): Promise<void> {
  try {
    await readBody("an answer", response.body, 64 * 1024);
  } catch {
    response.body.destroy();
  }
}

/** An address without what may be secret in it: user, password and query. */
export function printableUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
