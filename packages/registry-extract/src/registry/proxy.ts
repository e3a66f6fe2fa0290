import { type ClientRequestArgs, request as httpRequest } from "node:http";
import { type AgentOptions, Agent as HttpsAgent } from "node:https";
import type { Duplex } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import { imageError } from "../errors.ts";

/**
 * The proxy for an address, from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY in either case, read as curl(1) does.
 * Loopback never goes through a proxy.
 */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv = process.env): URL | undefined {
  if (isLoopback(url.hostname) || isExcluded(url, env["no_proxy"] ?? env["NO_PROXY"] ?? "")) return undefined;
  // HTTP_PROXY in capitals can be set by a remote client of a CGI program, so that curl does not read it.
  const own = url.protocol === "https:" ? (env["https_proxy"] ?? env["HTTPS_PROXY"]) : env["http_proxy"];
  const text = own || env["all_proxy"] || env["ALL_PROXY"];
  if (!text) return undefined;
  const address = text.includes("://") ? text : `http://${text}`;
  if (!URL.canParse(address) || new URL(address).protocol !== "http:") {
    throw imageError("ANYPROC_INVALID_OPTION", "the proxy in the environment is not an http:// address: correct it");
  }
  return new URL(address);
}

/** True for this machine's own addresses. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function isExcluded(url: URL, list: string): boolean {
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === "*") return true;
    const [, name = "", onlyPort] = /^\.?(.*?)(?::(\d+))?$/.exec(entry.replace(/^\*/, "")) ?? [];
    if (name === "" || (onlyPort !== undefined && onlyPort !== port)) return false;
    return url.hostname === name || url.hostname.endsWith(`.${name}`);
  });
}

/** The header that tells a proxy who asks, when its address says so. */
export function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === "") return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(pair).toString("base64")}` };
}

/** Reaches https servers through a proxy's tunnel (RFC 9110, CONNECT). */
export class TunnelAgent extends HttpsAgent {
  readonly #proxy: URL;

  constructor(proxy: URL, options: AgentOptions) {
    super(options);
    this.#proxy = proxy;
  }

  /** Gives the connection to the callback, when the proxy has made it. */
  override createConnection(
    options: ClientRequestArgs & { readonly servername?: string },
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex {
    const done = callback as (error: Error | null, stream?: Duplex) => void;
    const target = `${options.host}:${options.port}`;
    const tunnel = httpRequest({
      host: this.#proxy.hostname,
      port: this.#proxy.port || 80,
      method: "CONNECT",
      path: target,
      headers: { host: target, ...proxyAuthorization(this.#proxy) },
      agent: false,
    });
    tunnel.once("error", (error) => done(error));
    tunnel.once("connect", (response, socket) => {
      if (response.statusCode === 200) {
        const ca = this.options.ca;
        const servername = options.servername ?? String(options.host);
        done(null, tlsConnect({ socket, servername, ...(ca !== undefined && { ca }) }));
      } else {
        socket.destroy();
        done(new Error(`the proxy ${this.#proxy.host} answered ${response.statusCode} to a tunnel`));
      }
    });
    tunnel.end();
    // node:http waits for the callback when nothing is returned, which its types do not know.
    return undefined as unknown as Duplex;
  }
}
