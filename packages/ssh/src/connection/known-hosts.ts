import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** One line of a known_hosts file: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". */
export interface KnownHost {
  readonly marker: "revoked" | "cert-authority" | undefined;
  /** Host patterns separated by commas, or one hashed name. */
  readonly hosts: string;
  readonly keyType: string;
  readonly key: Buffer;
  readonly file: string;
  readonly line: number;
}

/** What the known hosts say about a key that a server presents. */
export type HostKeyVerdict =
  | { readonly kind: "known" }
  /** `authority` is a certificate authority for this host, which does not help: we take keys only. */
  | { readonly kind: "unknown"; readonly authority: KnownHost | undefined }
  | { readonly kind: "changed"; readonly expected: KnownHost }
  | { readonly kind: "revoked"; readonly entry: KnownHost };

/** Reads a known_hosts file. Comments and lines that are no entries are passed over, as ssh does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  const entries: KnownHost[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const words = line.trim().split(/[ \t]+/);
    if (words[0] === "" || words[0]?.startsWith("#")) continue;
    const marker = words[0]?.startsWith("@") ? words.shift()?.slice(1) : undefined;
    const [hosts, keyType, encoded] = words;
    if (hosts === undefined || keyType === undefined || encoded === undefined) continue;
    if (marker !== undefined && marker !== "revoked" && marker !== "cert-authority") continue;
    const key = Buffer.from(encoded, "base64");
    if (keyTypeOf(key) !== keyType) continue;
    entries.push({ marker, hosts, keyType, key, file, line: index + 1 });
  }
  return entries;
}

/** Whether the host field of an entry covers a name: patterns with `*` and `?`, `!` to except, or a hashed name. */
export function coversHost(hosts: string, name: string): boolean {
  const wanted = name.toLowerCase();
  if (hosts.startsWith("|1|")) return isHashOf(hosts, wanted);
  let isCovered = false;
  for (const pattern of hosts.toLowerCase().split(",")) {
    if (pattern.startsWith("!")) {
      if (matchesPattern(pattern.slice(1), wanted)) return false;
    } else if (matchesPattern(pattern, wanted)) {
      isCovered = true;
    }
  }
  return isCovered;
}

/** The name under which a host is known: `host`, or `[host]:port` when the port is not 22. */
export function knownHostName(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}

/**
 * Judges the key that a server presents. A revoked key is refused even beside a valid entry. A host that is known by
 * other keys only counts as changed: ssh(1) would ask, and there is nobody to ask here.
 */
export function judgeHostKey(entries: readonly KnownHost[], host: string, port: number, key: Buffer): HostKeyVerdict {
  const covering = entries.filter((entry) => coversHost(entry.hosts, knownHostName(host, port)));
  // ssh(1) accepts the key of the same host on port 22 too, when the port itself is not known.
  const anyPort = port === 22 ? [] : entries.filter((entry) => coversHost(entry.hosts, host));
  const revoked = [...covering, ...anyPort].find((entry) => entry.marker === "revoked" && entry.key.equals(key));
  if (revoked) return { kind: "revoked", entry: revoked };
  const keys = covering.filter((entry) => entry.marker === undefined);
  if (keys.some((entry) => entry.key.equals(key))) return { kind: "known" };
  const expected = keys.find((entry) => entry.keyType === keyTypeOf(key)) ?? keys[0];
  if (expected) return { kind: "changed", expected };
  if (anyPort.some((entry) => entry.marker === undefined && entry.key.equals(key))) return { kind: "known" };
  return { kind: "unknown", authority: covering.find((entry) => entry.marker === "cert-authority") };
}

/** The types of key under which a host is known: a server is asked for these first, as ssh(1) does. */
export function knownKeyTypes(entries: readonly KnownHost[], host: string, port: number): string[] {
  const names = [knownHostName(host, port), host];
  const known = entries.filter(
    (entry) => entry.marker === undefined && names.some((name) => coversHost(entry.hosts, name)),
  );
  return [...new Set(known.map((entry) => entry.keyType))];
}

/** Fingerprint as ssh-keygen(1) prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** A key's type, the first string of its blob (RFC 4253, 6.6); undefined when the bytes are no key. */
export function keyTypeOf(key: Buffer): string | undefined {
  if (key.length < 4) return undefined;
  const end = 4 + key.readUInt32BE(0);
  return end <= key.length ? key.toString("latin1", 4, end) : undefined;
}

function isHashOf(hashed: string, name: string): boolean {
  const [salt, expected] = hashed.slice(3).split("|");
  if (salt === undefined || expected === undefined) return false;
  const actual = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
  const wanted = Buffer.from(expected, "base64");
  return wanted.length === actual.length && timingSafeEqual(wanted, actual);
}

function matchesPattern(pattern: string, name: string): boolean {
  const source = pattern.replace(/[\\^$.*+?()[\]{}|]/g, (character) =>
    character === "*" ? ".*" : character === "?" ? "." : `\\${character}`,
  );
  return new RegExp(`^${source}$`, "s").test(name);
}
