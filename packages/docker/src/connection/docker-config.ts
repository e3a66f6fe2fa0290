import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { systemErrorCode } from "@anyproc/core";
import { invalidOption, reasonOf } from "../errors.ts";

/** The directory in which docker(1) keeps its configuration, contexts and certificates. */
export function configDirectory(env: NodeJS.ProcessEnv): string {
  return env["DOCKER_CONFIG"] || join(homedir(), ".docker");
}

/** docker(1)'s config.json; empty where there is none. @throws ANYPROC_INVALID_OPTION for one that cannot be read */
export async function readDockerConfig(env: NodeJS.ProcessEnv): Promise<Readonly<Record<string, unknown>>> {
  return (await readJson(join(configDirectory(env), "config.json"))) ?? {};
}

/** A JSON object in a file; undefined where there is no such file. @throws ANYPROC_INVALID_OPTION */
export async function readJson(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  let content: string;
  try {
    content = await readFile(path, "utf8");
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw invalidOption(`${path}: ${reasonOf(error)}: make it readable`, error);
  }
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    // Without the cause, which would quote the text around the mistake: it may be a password.
  }
  if (isRecord(value)) return value;
  throw invalidOption(`${path}: it is no JSON object: correct it, or move it away`);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
