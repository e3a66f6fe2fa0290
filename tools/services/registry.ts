import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash, createPrivateKey, randomBytes, sign, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { request as httpsRequest } from "node:https";
import { createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** A private registry on loopback: Docker's own, from Debian's docker-registry. */
export interface RegistryServer extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as it stands in references. */
  readonly host: string;
  /** Who may pull and push; undefined when everybody may. */
  readonly login: { readonly username: string; readonly password: string } | undefined;
  /** Certificate to trust, when it speaks https. */
  readonly caFile: string | undefined;
  /** Where it keeps blobs: a file can be damaged here. */
  blobPath(digest: string): string;
  /** Requests that the token server has had: their `Authorization` headers and scopes. */
  readonly tokenRequests: readonly TokenRequest[];
  /** What it has logged so far. */
  log(): string;
  stop(): Promise<void>;
}

/** A request for a bearer token. */
export interface TokenRequest {
  readonly method: string;
  readonly authorization: string | undefined;
  readonly scopes: readonly string[];
}

export interface RegistryServerOptions {
  /** Who may enter. @default "none" */
  readonly auth?: "none" | "basic" | "token";
  /** Speak https, with a certificate of its own. @default false */
  readonly tls?: boolean;
  /** How long a bearer token lasts, in seconds. @default 300 */
  readonly tokenSeconds?: number;
}

const login = { username: "alice", password: "s3cret" };

/** Why no registry can be started on this machine; undefined when one can. */
export function registryMissing(): string | undefined {
  for (const [program, name] of [
    ["/usr/bin/docker-registry", "docker-registry"],
    ["/usr/bin/htpasswd", "apache2-utils"],
  ]) {
    if (program && !existsSync(program)) return `${program} is missing: apt-get install ${name}`;
  }
  return undefined;
}

/** Starts a registry and waits until it answers. */
export async function startRegistry(options: RegistryServerOptions = {}): Promise<RegistryServer> {
  const missing = registryMissing();
  if (missing) throw new Error(missing);
  const directory = await mkdtemp(join(tmpdir(), "anyproc-registry-"));
  const storage = join(directory, "storage");
  await mkdir(storage);
  const host = `127.0.0.1:${await freePort()}`;
  const certificate = options.tls || options.auth === "token" ? makeCertificate(directory) : undefined;
  const tokens = options.auth === "token" && certificate ? await startTokenServer(certificate, options) : undefined;
  const config = [
    "version: 0.1",
    "log: {level: warn, accesslog: {disabled: true}}",
    `storage: {filesystem: {rootdirectory: ${storage}}, delete: {enabled: true}}`,
    "http:",
    `  addr: ${host}`,
    ...(options.tls && certificate ? [`  tls: {certificate: ${certificate.file}, key: ${certificate.key}}`] : []),
    ...(options.auth === "basic" ? [`auth: {htpasswd: {realm: test, path: ${await writePasswords(directory)}}}`] : []),
    ...(tokens && certificate
      ? [`auth: {token: {realm: ${tokens.realm}, service: test, issuer: test, rootcertbundle: ${certificate.file}}}`]
      : []),
    "",
  ].join("\n");
  const configFile = join(directory, "config.yml");
  await writeFile(configFile, config);

  let log = "";
  const child = spawn("docker-registry", ["serve", configFile], { stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      log += chunk;
    });
  }
  async function stop(): Promise<void> {
    await end(child);
    tokens?.server.closeAllConnections();
    tokens?.server.close();
    await rm(directory, { recursive: true, force: true });
  }
  try {
    await untilReady(`${options.tls ? "https" : "http"}://${host}/v2/`, child, () => log);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host,
    login: options.auth === "basic" || options.auth === "token" ? login : undefined,
    caFile: options.tls ? certificate?.file : undefined,
    tokenRequests: tokens?.requests ?? [],
    blobPath(digest) {
      const hex = digest.replace("sha256:", "");
      return join(storage, "docker/registry/v2/blobs/sha256", hex.slice(0, 2), hex, "data");
    },
    log: () => log,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function writePasswords(directory: string): Promise<string> {
  const file = join(directory, "htpasswd");
  await writeFile(file, execFileSync("htpasswd", ["-Bbn", login.username, login.password], { stdio: "pipe" }));
  return file;
}

interface Certificate {
  readonly file: string;
  readonly key: string;
}

function makeCertificate(directory: string): Certificate {
  const file = join(directory, "certificate.pem");
  const key = join(directory, "key.pem");
  const made = spawnSync("openssl", [
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=anyproc test"],
    ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", file],
  ]);
  if (made.status !== 0) throw new Error(`openssl: ${made.error?.message ?? String(made.stderr)}`);
  return { file, key };
}

/** A token server of the kind that registries send to (distribution's token specification). */
async function startTokenServer(
  certificate: Certificate,
  { tokenSeconds = 300 }: RegistryServerOptions,
): Promise<{ readonly server: Server; readonly realm: string; readonly requests: TokenRequest[] }> {
  const requests: TokenRequest[] = [];
  const key = createPrivateKey(readFileSync(certificate.key));
  const chain = [new X509Certificate(readFileSync(certificate.file)).raw.toString("base64")];
  const basic = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;

  function makeToken(scopes: readonly string[]): string {
    const now = Math.floor(Date.now() / 1000);
    const access = scopes.map((scope) => {
      const [type, name, actions = ""] = scope.split(":");
      return { type, name, actions: actions.split(",") };
    });
    const claims = {
      ...{ iss: "test", sub: login.username, aud: "test", jti: randomBytes(8).toString("hex") },
      ...{ iat: now, nbf: now - 5, exp: now + tokenSeconds, access },
    };
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const text = `${encode({ alg: "RS256", typ: "JWT", x5c: chain })}.${encode(claims)}`;
    return `${text}.${sign("sha256", Buffer.from(text), key).toString("base64url")}`;
  }

  const server = createServer(async (incoming, outgoing) => {
    const url = new URL(incoming.url ?? "/", "http://localhost");
    const form = incoming.method === "POST" ? new URLSearchParams(await readAll(incoming)) : url.searchParams;
    const scopes = form.getAll("scope").flatMap((scope) => scope.split(" "));
    const { authorization } = incoming.headers;
    requests.push({ method: incoming.method ?? "", authorization, scopes });
    const isKnown = authorization === basic || form.get("refresh_token") === identityToken;
    // Pulling from "public/" needs no login.
    const isPublic = scopes.every((scope) => /^repository:public\/.*:pull$/.test(scope));
    if (!isKnown && !isPublic) {
      outgoing.writeHead(401).end("{}");
      return;
    }
    outgoing.setHeader("content-type", "application/json");
    outgoing.end(JSON.stringify({ token: makeToken(scopes), expires_in: tokenSeconds }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return { server, realm: `http://127.0.0.1:${port}/token`, requests };
}

/** What the token server takes instead of a password. */
export const identityToken: string = createHash("sha256").update("identity").digest("hex");

async function readAll(incoming: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of incoming) text += chunk;
  return text;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createSocketServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Resolves when the registry answers, with whatever status. */
async function untilReady(url: string, child: ChildProcess, log: () => string): Promise<void> {
  const request = url.startsWith("https") ? httpsRequest : httpRequest;
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended at once:\n${log()}`);
    const status = await new Promise<number>((resolve) => {
      const outgoing = request(url, { rejectUnauthorized: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      outgoing.once("error", () => resolve(0));
      outgoing.end();
    });
    if (status > 0) return;
    await delay(25);
  }
  throw new Error(`docker-registry at ${url} does not answer:\n${log()}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}
