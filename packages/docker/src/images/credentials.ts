import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { isRecord, readDockerConfig } from "../connection/docker-config.ts";
import { dockerError, reasonOf } from "../errors.ts";
import type { RegistryCredentials } from "./options.ts";

// Docker Hub's name in config files, since before there was an API of version 2.
const hubKey = "https://index.docker.io/v1/";

/**
 * Looks the credentials for a registry up as docker(1) does: the helper for that registry, the entry that `docker login`
 * wrote, the general helper.
 *
 * @throws ANYPROC_CREDENTIALS_UNREADABLE
 */
export async function findCredentials(
  registry: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<RegistryCredentials | undefined> {
  const config = await readDockerConfig(env);
  const keys = registry === "docker.io" ? [hubKey, "docker.io", "index.docker.io"] : [registry, `https://${registry}`];
  const helpers = isRecord(config["credHelpers"]) ? config["credHelpers"] : {};
  const helper = keys.map((key) => helpers[key]).find((name) => typeof name === "string");
  if (typeof helper === "string") return askHelper(helper, registry === "docker.io" ? hubKey : registry, env);
  const auths = isRecord(config["auths"]) ? config["auths"] : {};
  for (const key of keys) {
    const entry = auths[key];
    const found = isRecord(entry) ? entryCredentials(key, entry) : undefined;
    if (found) return found;
  }
  const store = config["credsStore"];
  return typeof store === "string" && store !== "" ? askHelper(store, keys[0] as string, env) : undefined;
}

/** The same in the words of the Docker Engine API, "Authentication". */
export function authConfig(credentials: RegistryCredentials, registry: string): Record<string, string> {
  const serveraddress = registry === "docker.io" ? hubKey : registry;
  return "identityToken" in credentials
    ? { identitytoken: credentials.identityToken, serveraddress }
    : { ...credentials, serveraddress };
}

function entryCredentials(key: string, entry: Readonly<Record<string, unknown>>): RegistryCredentials | undefined {
  const { identitytoken, auth } = entry;
  if (typeof identitytoken === "string" && identitytoken !== "") return { identityToken: identitytoken };
  if (typeof auth !== "string" || auth === "") return undefined;
  const [, username, password] = /^([^:]*):(.*?)\0*$/s.exec(Buffer.from(auth, "base64").toString("utf8")) ?? [];
  if (username === undefined || password === undefined) {
    throw unreadable(`the entry of ${key} in config.json`, "it is not user:password in base64: run docker login again");
  }
  return { username, password };
}

/** Runs `docker-credential-NAME get`: the registry on stdin, JSON on stdout (docker-credential-helpers' protocol). */
async function askHelper(
  name: string,
  registry: string,
  env: NodeJS.ProcessEnv,
): Promise<RegistryCredentials | undefined> {
  const program = `docker-credential-${name}`;
  if (!/^[\w.-]+$/.test(name)) throw unreadable(program, "no credential helper has such a name: correct config.json");
  const child = spawn(program, ["get"], { env, stdio: ["pipe", "pipe", "ignore"] });
  const exited = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  // A helper that ends without reading is judged by its exit status.
  child.stdin.on("error", () => {});
  child.stdin.end(`${registry}\n`);
  const [output, code] = await Promise.all([text(child.stdout), exited]).catch((error: unknown) => {
    throw unreadable(program, `${reasonOf(error)}: install it, or take it out of config.json`, error);
  });
  if (code !== 0 && /credentials not found/i.test(output)) return undefined;
  if (code !== 0) throw unreadable(program, `it ended with ${code}: run it by hand to see why`);
  return helperCredentials(program, output);
}

function helperCredentials(program: string, output: string): RegistryCredentials {
  let answer: unknown;
  try {
    answer = JSON.parse(output);
  } catch {
    // Without the cause, which would quote the text around the mistake: it may be a password.
  }
  const { Username: username, Secret: secret } = isRecord(answer) ? answer : {};
  if (typeof username !== "string" || typeof secret !== "string") {
    throw unreadable(program, "what it printed are no credentials: run it by hand to see why");
  }
  return username === "<token>" ? { identityToken: secret } : { username, password: secret };
}

function unreadable(what: string, reason: string, cause?: unknown): Error {
  return dockerError("ANYPROC_CREDENTIALS_UNREADABLE", `registry credentials: ${what}: ${reason}`, cause);
}
