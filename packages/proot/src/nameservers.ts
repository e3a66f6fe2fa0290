import { randomUUID } from "node:crypto";
import { chmod, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { posix } from "node:path";
import { AnyprocError, systemErrorCode } from "@anyproc/core";
import { resolveGuestPath } from "./guest-path.ts";

/**
 * Adds `nameserver` lines (resolv.conf(5)) to etc/resolv.conf of a rootfs, after those that are there. An address that
 * is listed already is not listed twice. A link is followed inside the rootfs only; one that leads nowhere, as in many
 * images, is replaced by a file. Written to a new file first, so that no reader sees half of it; mode 0644.
 *
 * @param rootfs a directory; not `/`, whose resolv.conf belongs to this machine
 * @throws ANYPROC_INVALID_OPTION for what is no IP address, or for the rootfs `/`; ANYPROC_ROOTFS_NOT_FOUND
 */
export async function addNameservers(rootfs: string, addresses: readonly string[]): Promise<void> {
  for (const address of addresses) {
    if (isIP(address) === 0) {
      throw new AnyprocError(
        "ANYPROC_INVALID_OPTION",
        `nameserver ${JSON.stringify(address)}: is no IPv4 or IPv6 address`,
      );
    }
  }
  const root = await realpath(rootfs).catch((error: unknown) => {
    throw new AnyprocError("ANYPROC_ROOTFS_NOT_FOUND", `rootfs ${rootfs}: there is no such directory`, {
      cause: error,
    });
  });
  if (root === "/") {
    throw new AnyprocError(
      "ANYPROC_INVALID_OPTION",
      "rootfs /: its resolv.conf is this machine's own: edit it yourself",
    );
  }
  const { file, isThere } = await findResolvConf(root);
  const before = isThere ? await readFile(file, "utf8") : "";
  const listed = new Set(Array.from(before.matchAll(/^\s*nameserver\s+(\S+)/gm), (match) => match[1]));
  const added = [...new Set(addresses)].filter((address) => !listed.has(address));
  if (added.length === 0) return;
  const start = before === "" || before.endsWith("\n") ? before : `${before}\n`;
  await replaceFile(file, `${start}${added.map((address) => `nameserver ${address}\n`).join("")}`);
}

/** The file to write: where the link leads inside the rootfs, or the link's own place when it leads nowhere. */
async function findResolvConf(root: string): Promise<{ readonly file: string; readonly isThere: boolean }> {
  const path = "/etc/resolv.conf";
  try {
    const target = await resolveGuestPath(root, [], path);
    if (!target.isMissing) return { file: target.host, isThere: true };
  } catch (error) {
    if (!["ENOENT", "ENOTDIR", "ELOOP"].includes(systemErrorCode(error) ?? "")) throw error;
  }
  const etc = await resolveGuestPath(root, [], posix.dirname(path));
  return { file: posix.join(etc.host, posix.basename(path)), isThere: false };
}

async function replaceFile(file: string, content: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}`;
  try {
    await writeFile(temporary, content, { flag: "wx", mode: 0o644 });
    await chmod(temporary, 0o644);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
