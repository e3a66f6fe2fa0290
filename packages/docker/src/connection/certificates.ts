import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "@anyproc/core";
import { invalidOption, reasonOf } from "../errors.ts";
import type { DockerCertificates } from "./options.ts";

/** What a TLS connection needs. */
export interface Certificates {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** False takes any certificate of the daemon's. @default true */
  readonly verify?: boolean;
}

/** The certificates that an option names or holds. @throws ANYPROC_INVALID_OPTION */
export async function certificatesOf(tls: DockerCertificates | string): Promise<Certificates> {
  if (typeof tls === "string") return readCertificates(tls);
  const found: { -readonly [Name in keyof Certificates]: Certificates[Name] } = {};
  for (const name of ["ca", "cert", "key"] as const) {
    const value = tls[name];
    if (value !== undefined) found[name] = typeof value === "string" ? value : Buffer.from(value);
  }
  return found;
}

/** Reads `ca.pem`, `cert.pem` and `key.pem`, as many as there are. @throws ANYPROC_INVALID_OPTION */
export async function readCertificates(directory: string): Promise<Certificates> {
  const [ca, cert, key] = await Promise.all(
    ["ca", "cert", "key"].map((name) => readPem(join(directory, `${name}.pem`))),
  );
  if (!ca && !cert)
    throw invalidOption(`${directory}: there is no ca.pem and no cert.pem: name the directory with them`);
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

async function readPem(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT" || systemErrorCode(error) === "ENOTDIR") return undefined;
    throw invalidOption(`${path}: ${reasonOf(error)}: make it readable`, error);
  }
}
