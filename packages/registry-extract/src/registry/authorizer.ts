import { imageError } from "../errors.ts";
import { parseJsonObject } from "../image/parse-json.ts";
import type { Challenge } from "./challenge.ts";
import type { Credentials, CredentialsLookup } from "./credentials.ts";
import { dropBody, type HttpClient, printableUrl, readBody } from "./http.ts";
import { isLoopback } from "./proxy.ts";

/** Keeps what one registry wants to see in the Authorization header. */
export interface Authorizer {
  /** The header for a scope, when it is known. */
  header(scope: string): string | undefined;
  /** Gets a new header after a 401. False when the challenge cannot be answered. */
  answer(scope: string, challenges: readonly Challenge[], signal?: AbortSignal): Promise<boolean>;
}

interface BearerToken {
  readonly header: string;
  readonly expiresAt: number;
}

const clientId = "anyproc";
const mostTokenBytes = 1024 * 1024;
// Distribution's token specification: a token without expires_in lives for a minute.
const defaultLifetimeSeconds = 60;

/** The authorizer of one registry: basic, or bearer tokens per scope, anonymous where there are no credentials. */
export function createAuthorizer(
  registry: string,
  isSecure: boolean,
  http: HttpClient,
  lookup: CredentialsLookup,
): Authorizer {
  const tokens = new Map<string, BearerToken>();
  const pending = new Map<string, Promise<boolean>>();
  let basic: string | undefined;
  let credentials: Promise<Credentials | undefined> | undefined;

  function header(scope: string): string | undefined {
    const token = tokens.get(scope);
    return token && token.expiresAt > Date.now() ? token.header : basic;
  }

  async function obtain(scope: string, challenges: readonly Challenge[], signal?: AbortSignal): Promise<boolean> {
    credentials ??= lookup(registry);
    const known = await credentials;
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer) {
      tokens.set(scope, await fetchToken(bearer, scope, known, signal));
      return true;
    }
    if (!challenges.some(({ scheme }) => scheme === "basic") || !known || !("username" in known)) return false;
    const value = basicHeader(known.username, known.password);
    const isNew = basic !== value;
    basic = value;
    return isNew;
  }

  async function fetchToken(
    { parameters }: Challenge,
    scope: string,
    known: Credentials | undefined,
    signal?: AbortSignal,
  ): Promise<BearerToken> {
    const { realm = "", service } = parameters;
    const url = tokenAddress(realm);
    const form = new URLSearchParams({ ...(service !== undefined && { service }), scope });
    const isOauth = known !== undefined && "identityToken" in known;
    if (isOauth) {
      form.set("grant_type", "refresh_token");
      form.set("refresh_token", known.identityToken);
      form.set("client_id", clientId);
    } else {
      // The specification repeats `scope`; one space-separated parameter is not understood everywhere.
      form.delete("scope");
      for (const part of scope.split(" ")) form.append("scope", part);
      for (const [name, value] of form) url.searchParams.append(name, value);
    }
    const response = await http.send({
      method: isOauth ? "POST" : "GET",
      url,
      headers: {
        ...(isOauth && { "content-type": "application/x-www-form-urlencoded" }),
        ...(known && "username" in known && { authorization: basicHeader(known.username, known.password) }),
      },
      ...(isOauth && { body: Buffer.from(form.toString()) }),
      signal,
    });
    if (response.status !== 200) {
      await dropBody(response);
      throw imageError(
        "ANYPROC_REGISTRY_UNAUTHORIZED",
        `${registry}: its token service ${printableUrl(url)} answered ${response.status}` +
          (known ? ": the credentials are not accepted: log in again" : ": it needs credentials: docker login"),
      );
    }
    const what = `${registry}: the answer of its token service`;
    const answer = parseJsonObject(what, await readBody(what, response.body, mostTokenBytes));
    const token = answer["token"] ?? answer["access_token"];
    if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
      throw imageError("ANYPROC_REGISTRY_REFUSED", `${what} holds no token`);
    }
    const lifetime = typeof answer["expires_in"] === "number" ? answer["expires_in"] : defaultLifetimeSeconds;
    // A little early, for the way and for clocks that differ.
    return { header: `Bearer ${token}`, expiresAt: Date.now() + Math.max(lifetime - 5, 1) * 1000 };
  }

  /** Where the registry sends us for a token; never a place to which a password would travel in the clear. */
  function tokenAddress(realm: string): URL {
    const url = URL.canParse(realm) ? new URL(realm) : undefined;
    if (url?.protocol === "https:") return url;
    if (url?.protocol === "http:" && (!isSecure || isLoopback(url.hostname))) return url;
    throw imageError(
      "ANYPROC_REGISTRY_REFUSED",
      `${registry}: its token service is not an https address: credentials are not sent there`,
    );
  }

  function answer(scope: string, challenges: readonly Challenge[], signal?: AbortSignal): Promise<boolean> {
    const waiting = pending.get(scope);
    if (waiting) return waiting;
    const asked = obtain(scope, challenges, signal).finally(() => pending.delete(scope));
    pending.set(scope, asked);
    return asked;
  }

  return { header, answer };
}

function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
