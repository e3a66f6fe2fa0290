import type { Readable } from "node:stream";
import { systemErrorCode } from "@anyproc/core";
import { imageError, reasonOf } from "../errors.ts";
import { createAuthorizer } from "./authorizer.ts";
import { parseChallenges } from "./challenge.ts";
import type { CredentialsLookup } from "./credentials.ts";
import { dropBody, type HttpClient, type HttpRequest, type HttpResponse, printableUrl } from "./http.ts";
import { isLoopback } from "./proxy.ts";
import { answerError } from "./registry-errors.ts";
import { isTemporary, parseRetryAfter, pauseBeforeRetry, type RetryOptions } from "./retry.ts";

/** One request to a registry. */
export interface RegistryRequest {
  readonly method?: HttpRequest["method"];
  /** Below the registry's address, as in `/v2/NAME/tags/list`; or an absolute address the registry itself gave. */
  readonly path: string;
  /** `repository:NAME:pull`, for bearer tokens. */
  readonly scope: string;
  /** What is asked for, for messages: `manifest debian:12`. */
  readonly what: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | (() => Readable);
  /** Answers that are no failure besides 2xx. */
  readonly expected?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

/** A registry's address, with the login to it. */
export interface RegistryEndpoint {
  readonly name: string;
  /** Sends a request: authenticates, follows redirects, tries again. @throws ANYPROC_REGISTRY_..., ANYPROC_IMAGE_NOT_FOUND */
  request(request: RegistryRequest): Promise<HttpResponse>;
}

/** What an endpoint is made of. */
export interface EndpointOptions {
  /** For credentials and messages: `docker.io`. */
  readonly name: string;
  readonly base: URL;
  readonly http: HttpClient;
  readonly retry: RetryOptions;
  readonly credentials: CredentialsLookup;
}

const mostRedirects = 10;

/** Speaks to one registry (OCI distribution-spec). */
export function createEndpoint({ name, base, http, retry, credentials }: EndpointOptions): RegistryEndpoint {
  const authorizer = createAuthorizer(name, base.protocol === "https:", http, credentials);

  async function request(wanted: RegistryRequest): Promise<HttpResponse> {
    const expected = wanted.expected ?? [];
    for (let attempt = 1; ; attempt += 1) {
      let failure: Error;
      let askedMs: number | undefined;
      try {
        const response = await authorized(wanted);
        const { status } = response;
        if ((status >= 200 && status < 300) || expected.includes(status)) return response;
        failure = await answerError(name, wanted.what, response);
        if (!isTemporary(status)) throw failure;
        askedMs = parseRetryAfter(response.headers["retry-after"]);
      } catch (error) {
        wanted.signal?.throwIfAborted();
        if (!isConnectionError(error)) throw error;
        failure = connectionError(name, error);
        if (isLasting(error)) throw failure;
      }
      if (!(await pauseBeforeRetry(attempt, retry, askedMs, wanted.signal))) throw failure;
    }
  }

  /** Sends with what is known of the login, and once more after a 401 that can be answered. */
  async function authorized(wanted: RegistryRequest): Promise<HttpResponse> {
    for (let isAgain = false; ; isAgain = true) {
      const response = await follow(wanted, authorizer.header(wanted.scope));
      const challenge = response.headers["www-authenticate"];
      if (response.status !== 401 || isAgain || challenge === undefined) return response;
      await dropBody(response);
      const isAnswered = await authorizer.answer(wanted.scope, parseChallenges(challenge), wanted.signal);
      if (!isAnswered) {
        throw imageError(
          "ANYPROC_REGISTRY_UNAUTHORIZED",
          `${wanted.what}: ${name} wants a login: docker login ${name}, or pass credentials`,
        );
      }
    }
  }

  async function follow(wanted: RegistryRequest, authorization: string | undefined): Promise<HttpResponse> {
    const { method = "GET", headers, body, signal } = wanted;
    let url = new URL(wanted.path, base);
    for (let redirects = 0; ; redirects += 1) {
      // Storage behind a redirect has its own signed address: the login is for the registry alone.
      const isOurs = url.origin === base.origin;
      const response = await http.send({
        method,
        url,
        headers: { ...headers, ...(isOurs && authorization !== undefined && { authorization }) },
        ...(body !== undefined && { body }),
        signal,
      });
      const { location } = response.headers;
      const isRedirect = [301, 302, 303, 307, 308].includes(response.status) && location !== undefined;
      if (!isRedirect || (method !== "GET" && method !== "HEAD")) return response;
      await dropBody(response);
      url = nextAddress(wanted.what, url, location, redirects);
    }
  }

  function nextAddress(what: string, from: URL, location: string, redirects: number): URL {
    const next = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    const isPlain = next?.protocol === "http:" && (base.protocol === "http:" || isLoopback(next.hostname));
    if (!next || redirects === mostRedirects || (next.protocol !== "https:" && !isPlain)) {
      const reason = !next
        ? "to something that is no address"
        : redirects === mostRedirects
          ? "again and again"
          : `to ${printableUrl(next)}, which is not https`;
      throw imageError("ANYPROC_REGISTRY_REFUSED", `${what}: ${name} redirects ${reason}`);
    }
    return next;
  }

  return { name, request };
}

/** True for what a connection can fail with, and a later one may not. */
export function isConnectionError(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === undefined ? error instanceof Error && error.constructor === Error : !code.startsWith("ANYPROC_");
}

/** True for a failure that a second attempt does not change: a name that does not exist, a certificate. */
function isLasting(error: unknown): boolean {
  const code = systemErrorCode(error) ?? "";
  return code === "ENOTFOUND" || code === "EPROTO" || isCertificateCode(code);
}

// The codes of X509_verify_cert_error_string(3), as node:tls has them.
function isCertificateCode(code: string): boolean {
  return /CERT|SIGNATURE|ISSUER/.test(code);
}

/** A connection that failed for good, in one sentence. */
export function connectionError(name: string, error: unknown): Error {
  const code = systemErrorCode(error) ?? "";
  const remedies: Readonly<Record<string, string>> = {
    ENOTFOUND: "is the name right, and is there a network?",
    EAI_AGAIN: "the name cannot be looked up: is there a network?",
    ECONNREFUSED: "nothing listens there: is the registry running?",
    EPROTO: "it does not speak https: plain http has to be asked for (plainHttp, --plain-http)",
  };
  const remedy = isCertificateCode(code)
    ? "give its CA (caFiles, --ca)"
    : (remedies[code] ?? "try again, or check the network");
  return imageError("ANYPROC_REGISTRY_UNREACHABLE", `${name}: ${reasonOf(error)}: ${remedy}`, error);
}
