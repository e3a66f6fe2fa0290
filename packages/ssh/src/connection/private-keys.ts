import { readFile } from "node:fs/promises";
import { AnyprocError, systemErrorCode } from "@anyproc/core";
import ssh2, { type ParsedKey } from "ssh2";
import type { PrivateKey, Secret } from "../options.ts";

/** A key that can sign, and its name for messages. */
export interface UsableKey {
  readonly name: string;
  readonly key: ParsedKey;
}

/** Asks for a secret, now that it is needed. */
export async function reveal(secret: Secret): Promise<string> {
  return typeof secret === "string" ? secret : secret();
}

/** A key that waits for its passphrase. */
export interface LockedKey {
  readonly path: string;
  readonly unlock: (passphrase: string) => UsableKey;
}

/**
 * Reads and decrypts a private key that somebody named.
 *
 * @throws ANYPROC_PRIVATE_KEY_INVALID when it cannot be read, is no private key, or its passphrase is missing or wrong
 */
export async function readPrivateKey(source: PrivateKey): Promise<UsableKey> {
  const name = "path" in source ? source.path : "the private key given as data";
  const text = "path" in source ? await readKeyFile(source.path) : Buffer.from(source.data);
  const { passphrase } = source;
  return parseKey(name, text, passphrase !== undefined && isEncrypted(text) ? await reveal(passphrase) : undefined);
}

/** Reads a key that might be there; one that is missing is passed over. */
export async function readUsualKey(path: string): Promise<UsableKey | LockedKey | undefined> {
  try {
    const text = await readKeyFile(path);
    if (isEncrypted(text)) return { path, unlock: (passphrase) => parseKey(path, text, passphrase) };
    return parseKey(path, text, undefined);
  } catch {
    return undefined;
  }
}

function parseKey(name: string, text: Buffer, passphrase: string | undefined): UsableKey {
  const parsed = ssh2.utils.parseKey(text, passphrase);
  if (parsed instanceof Error) throw unusable(name, remedyFor(parsed, passphrase !== undefined));
  const key = [parsed].flat()[0];
  if (!key?.isPrivateKey()) throw unusable(name, "it is no private key: give the file without .pub");
  return { name, key };
}

// ssh2's messages are the only sign of the cause; none of them quotes key material.
const wantsPassphrase = /no passphrase given/i;

function isEncrypted(text: Buffer): boolean {
  const parsed = ssh2.utils.parseKey(text);
  return parsed instanceof Error && wantsPassphrase.test(parsed.message);
}

async function readKeyFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const reason = systemErrorCode(error) === "ENOENT" ? "there is no such file" : "it cannot be read";
    throw unusable(path, `${reason}: give the path of a private key that you may read`, error);
  }
}

function remedyFor(error: Error, hasPassphrase: boolean): string {
  if (wantsPassphrase.test(error.message)) return "it is encrypted: give its passphrase, or use an agent";
  if (hasPassphrase && /integrity|bad passphrase|decrypt/i.test(error.message)) return "the passphrase is wrong";
  return "it is no private key in a known format: OpenSSH, PEM or PuTTY's PPK";
}

function unusable(name: string, reason: string, cause?: unknown): AnyprocError {
  return new AnyprocError(
    "ANYPROC_PRIVATE_KEY_INVALID",
    `${name}: ${reason}`,
    cause === undefined ? undefined : { cause },
  );
}
