import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { invalidOption } from "../errors.ts";
import { type Certificates, readCertificates } from "./certificates.ts";
import { configDirectory, isRecord, readJson } from "./docker-config.ts";

/** What a context of docker(1) says about its daemon. */
export interface Context {
  readonly host: string;
  readonly certificates: Certificates | undefined;
}

/** Looks a context up where `docker context create` keeps it. @throws ANYPROC_INVALID_OPTION */
export async function readContext(name: string, env: NodeJS.ProcessEnv): Promise<Context> {
  const id = createHash("sha256").update(name).digest("hex");
  const store = join(configDirectory(env), "contexts");
  const meta = await readJson(join(store, "meta", id, "meta.json"));
  if (!meta) throw invalidOption(`docker context ${name}: there is none: \`docker context ls\` shows those that are`);
  const endpoints = isRecord(meta["Endpoints"]) ? meta["Endpoints"] : {};
  const endpoint = isRecord(endpoints["docker"]) ? endpoints["docker"] : {};
  const host = endpoint["Host"];
  if (typeof host !== "string" || host === "") {
    throw invalidOption(`docker context ${name}: it names no Docker daemon: choose another one`);
  }
  const directory = join(store, "tls", id, "docker");
  const skipsVerification = endpoint["SkipTLSVerify"] === true;
  const found = existsSync(directory) ? await readCertificates(directory) : undefined;
  const certificates = found ?? (skipsVerification ? {} : undefined);
  return { host, certificates: certificates && { ...certificates, verify: !skipsVerification } };
}
