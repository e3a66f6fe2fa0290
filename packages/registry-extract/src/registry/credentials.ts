import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { systemErrorCode } from "@anyproc/core";
import { imageError, reasonOf } from "../errors.ts";
import { isRecord } from "../image/descriptor.ts";

/** Who asks. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, as `docker login` keeps it for some registries. */
  | { readonly identityToken: string };

/** Finds the credentials for a registry; undefined: ask without any. */
export type CredentialsLookup = (registry: string) => Promise<Credentials | undefined>;

// Docker Hub's name in config files, since before there was an API of version 2.
const hubKey = "https://index.docker.io/v1/";

/**
 * Looks credentials up where docker(1), podman(1) and GitLab keep them: DOCKER_AUTH_CONFIG (the JSON itself),
 * REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json or ~/.docker/config.json, $XDG_RUNTIME_DIR/containers/auth.json.
 * The first that knows the registry counts; each may name a credential helper.
 *
 * @throws ANYPROC_CREDENTIALS_UNREADABLE for a file that is not JSON and a helper that fails
 */
export async function findCredentials(
  registry: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Credentials | undefined> {
  const inline = env["DOCKER_AUTH_CONFIG"];
  if (inline) {
    const found = await fromConfig(parseConfig("DOCKER_AUTH_CONFIG", inline), registry, env);
    if (found) return found;
  }
  for (const path of configPaths(env)) {
    const content = await readConfig(path);
    const found = content === undefined ? undefined : await fromConfig(parseConfig(path, content), registry, env);
    if (found) return found;
  }
  return undefined;
}

function configPaths(env: NodeJS.ProcessEnv): string[] {
  const runtime = env["XDG_RUNTIME_DIR"];
  return [
    ...(env["REGISTRY_AUTH_FILE"] ? [env["REGISTRY_AUTH_FILE"]] : []),
    join(env["DOCKER_CONFIG"] || join(homedir(), ".docker"), "config.json"),
    ...(runtime ? [join(runtime, "containers/auth.json")] : []),
  ];
}

async function readConfig(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw unreadable(path, reasonOf(error), error);
  }
}

function parseConfig(path: string, content: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    // Without the cause, which would quote the text around the mistake: it may be a password.
    throw unreadable(path, "it is not JSON");
  }
  if (!isRecord(value)) throw unreadable(path, "it is not a JSON object");
  return value;
}

async function fromConfig(
  config: Record<string, unknown>,
  registry: string,
  env: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  const keys = registry === "docker.io" ? [hubKey, "docker.io", "index.docker.io"] : [registry, `https://${registry}`];
  const helpers = isRecord(config["credHelpers"]) ? config["credHelpers"] : {};
  for (const key of keys) {
    const helper = helpers[key];
    if (typeof helper === "string") return askHelper(helper, key, env);
  }
  const auths = isRecord(config["auths"]) ? config["auths"] : {};
  for (const key of keys) {
    const entry = auths[key] ?? auths[`${key}/`] ?? auths[`${key}/v1/`] ?? auths[`${key}/v2/`];
    const found = isRecord(entry) ? fromEntry(key, entry) : undefined;
    if (found) return found;
  }
  const store = config["credsStore"];
  return typeof store === "string" && store !== "" ? askHelper(store, keys[0] as string, env) : undefined;
}

function fromEntry(key: string, entry: Record<string, unknown>): Credentials | undefined {
  const { identitytoken, auth, username, password } = entry;
  if (typeof identitytoken === "string" && identitytoken !== "") return { identityToken: identitytoken };
  if (typeof auth === "string" && auth !== "") {
    const pair = Buffer.from(auth, "base64").toString("utf8");
    const colon = pair.indexOf(":");
    if (colon < 0) throw unreadable(`the entry of ${key}`, "its auth is not user:password in base64: log in again");
    return { username: pair.slice(0, colon), password: pair.slice(colon + 1).replace(/\0+$/, "") };
  }
  if (typeof username === "string" && typeof password === "string") return { username, password };
  return undefined;
}

/** Runs `docker-credential-NAME get`: the server on stdin, JSON on stdout (docker-credential-helpers' protocol). */
async function askHelper(name: string, server: string, env: NodeJS.ProcessEnv): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`;
  if (!/^[\w.-]+$/.test(name)) throw unreadable(program, "its name is not that of a credential helper");
  const child = spawn(program, ["get"], { env, stdio: ["pipe", "pipe", "ignore"] });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  // A helper that ends without reading is judged by its exit status.
  child.stdin.on("error", () => {});
  child.stdin.end(`${server}\n`);
  let output: string;
  let code: number | null;
  try {
    [output, code] = await Promise.all([text(child.stdout), exited]);
  } catch (error) {
    throw unreadable(program, `${reasonOf(error)}: install it, or take it out of the config`, error);
  }
  if (code !== 0) {
    if (/credentials not found/i.test(output)) return undefined;
    throw unreadable(program, `it failed with exit status ${code}: run it by hand to see why`);
  }
  const answer = parseConfig(program, output);
  const { Username: username, Secret: secret } = answer;
  if (typeof username !== "string" || typeof secret !== "string") throw unreadable(program, "it gave no credentials");
  return username === "<token>" ? { identityToken: secret } : { username, password: secret };
}

function unreadable(what: string, reason: string, cause?: unknown): Error {
  return imageError("ANYPROC_CREDENTIALS_UNREADABLE", `registry credentials: ${what}: ${reason}`, cause);
}
