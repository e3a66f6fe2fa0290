import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { AnyprocError, systemErrorCode } from "@anyproc/core";
import type { ServerHostKeyAlgorithm } from "ssh2";
import { invalidOption } from "../errors.ts";
import type { SshDestination } from "../options.ts";
import {
  fingerprint,
  judgeHostKey,
  type KnownHost,
  keyTypeOf,
  knownHostName,
  knownKeyTypes,
  parseKnownHosts,
} from "./known-hosts.ts";

/** A server whose key has to be verified. */
export interface HostKeyPolicy {
  /** The name under which the host is known: HostKeyAlias, or the host name that is connected to. */
  readonly host: string;
  readonly port: number;
  /** Files to look in; the first one takes new keys. */
  readonly files: readonly string[];
  readonly acceptNew: NonNullable<SshDestination["acceptNew"]>;
}

export interface HostKeyVerifier {
  /** Signature algorithms to offer, those of known keys first, so that a server with several keys shows a known one. */
  readonly algorithms: ServerHostKeyAlgorithm[];
  /** @throws ANYPROC_HOST_KEY_UNKNOWN, ANYPROC_HOST_KEY_CHANGED, ANYPROC_HOST_KEY_REVOKED */
  verify(key: Buffer): Promise<void>;
  /** Adds the key that was accepted as new, now that the server has shown that the key is its own. */
  remember(): Promise<void>;
}

// SHA-1 signatures (ssh-rsa) are left out, as OpenSSH does since 8.8.
const signatures: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

/** Reads the known hosts, and verifies one server's key against them. */
export async function hostKeyVerifier(policy: HostKeyPolicy): Promise<HostKeyVerifier> {
  const entries = (await Promise.all(policy.files.map(readKnownHosts))).flat();
  const types = [...knownKeyTypes(entries, policy.host, policy.port), ...Object.keys(signatures)];
  let accepted: Buffer | undefined;
  return {
    algorithms: [...new Set(types)].flatMap((type) => signatures[type] ?? []),
    async verify(key) {
      const verdict = judgeHostKey(entries, policy.host, policy.port, key);
      if (verdict.kind === "known") return;
      if (verdict.kind !== "unknown" || !(await isAccepted(policy, key))) throw refusal(policy, key, verdict);
      accepted = key;
    },
    async remember() {
      if (accepted) await addKnownHost(policy, accepted);
    },
  };
}

async function isAccepted({ acceptNew, host, port, files }: HostKeyPolicy, key: Buffer): Promise<boolean> {
  const [file] = files;
  if (typeof acceptNew === "boolean" || file === undefined) return acceptNew !== false;
  const name = knownHostName(host, port);
  return acceptNew({ name, keyType: keyTypeOf(key) ?? "", fingerprint: fingerprint(key), file });
}

type Refused = Exclude<ReturnType<typeof judgeHostKey>, { kind: "known" }>;

function refusal(policy: HostKeyPolicy, key: Buffer, verdict: Refused): AnyprocError {
  const name = knownHostName(policy.host, policy.port);
  const presented = `${keyTypeOf(key)} ${fingerprint(key)}`;
  if (verdict.kind === "revoked") {
    return new AnyprocError(
      "ANYPROC_HOST_KEY_REVOKED",
      `${name}: the server presents a key that ${where(verdict.entry)} revokes (${presented}): it must get a new key`,
    );
  }
  if (verdict.kind === "changed") {
    return new AnyprocError(
      "ANYPROC_HOST_KEY_CHANGED",
      `${name}: the server's key is not the known one: it presents ${presented}, ${where(verdict.expected)} has ` +
        `${verdict.expected.keyType} ${fingerprint(verdict.expected.key)}. Somebody may be in between; if the server ` +
        `was really given a new key, remove the old one: ssh-keygen -R '${name}' -f ${verdict.expected.file}`,
    );
  }
  const authority = verdict.authority
    ? ` (${where(verdict.authority)} names a certificate authority for it, but host certificates are not supported)`
    : "";
  return new AnyprocError(
    "ANYPROC_HOST_KEY_UNKNOWN",
    `${name}: the host is not known${authority}: it presents ${presented}; compare that with the server's own, then ` +
      `accept it once (acceptNew, --accept-new), or add the key to ${policy.files[0] ?? "a known_hosts file"}`,
  );
}

async function readKnownHosts(file: string): Promise<KnownHost[]> {
  try {
    return parseKnownHosts(await readFile(file, "utf8"), file);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw invalidOption(`${file}: the known hosts cannot be read: fix its permissions, or name another file`, error);
  }
}

async function addKnownHost(policy: HostKeyPolicy, key: Buffer): Promise<void> {
  const file = policy.files[0];
  if (file === undefined) throw invalidOption("acceptNew needs a file for the new key: name one in knownHosts");
  const line = `${knownHostName(policy.host.toLowerCase(), policy.port)} ${keyTypeOf(key)} ${key.toString("base64")}\n`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const old = await readFile(file, "utf8").catch(() => "");
    await appendFile(file, old === "" || old.endsWith("\n") ? line : `\n${line}`, { mode: 0o600 });
  } catch (error) {
    throw invalidOption(`${file}: the new key of ${policy.host} cannot be added: make the file writable`, error);
  }
}

function where(entry: KnownHost): string {
  return `${entry.file}:${entry.line}`;
}
