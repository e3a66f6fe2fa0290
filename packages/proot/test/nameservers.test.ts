import { lstat, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addNameservers } from "@anyproc/proot";
import { expect, test } from "vitest";
import { temporaryDirectory } from "./temporary-directory.ts";

async function rootfsWithEtc(): Promise<string> {
  const rootfs = await temporaryDirectory();
  await mkdir(join(rootfs, "etc"));
  return rootfs;
}

test("makes resolv.conf with mode 0644 when there is none", async () => {
  const rootfs = await rootfsWithEtc();
  await addNameservers(rootfs, ["192.0.2.1", "2001:db8::1"]);
  const file = join(rootfs, "etc/resolv.conf");
  expect(await readFile(file, "utf8")).toBe("nameserver 192.0.2.1\nnameserver 2001:db8::1\n");
  expect((await lstat(file)).mode & 0o777).toBe(0o644);
  expect(await readdir(join(rootfs, "etc"))).toEqual(["resolv.conf"]);
});

test("keeps what is there, ends its last line, and lists no address twice", async () => {
  const rootfs = await rootfsWithEtc();
  await writeFile(join(rootfs, "etc/resolv.conf"), "search example.org\nnameserver  192.0.2.1");
  await addNameservers(rootfs, ["192.0.2.1", "192.0.2.2", "192.0.2.2"]);
  expect(await readFile(join(rootfs, "etc/resolv.conf"), "utf8")).toBe(
    "search example.org\nnameserver  192.0.2.1\nnameserver 192.0.2.2\n",
  );
});

test("replaces a dangling link, also one whose target the host has", async () => {
  const rootfs = await rootfsWithEtc();
  const outside = join(await temporaryDirectory(), "resolv.conf");
  await writeFile(outside, "nameserver 198.51.100.1\n");
  await symlink(outside, join(rootfs, "etc/resolv.conf"));
  await addNameservers(rootfs, ["192.0.2.1"]);
  expect(await readFile(outside, "utf8")).toBe("nameserver 198.51.100.1\n");
  expect((await lstat(join(rootfs, "etc/resolv.conf"))).isFile()).toBe(true);
  expect(await readFile(join(rootfs, "etc/resolv.conf"), "utf8")).toBe("nameserver 192.0.2.1\n");
});

test("follows an absolute link inside the rootfs, and leaves the link", async () => {
  const rootfs = await rootfsWithEtc();
  await mkdir(join(rootfs, "run"));
  await writeFile(join(rootfs, "run/resolv.conf"), "");
  await symlink("/../run/resolv.conf", join(rootfs, "etc/resolv.conf"));
  await addNameservers(rootfs, ["192.0.2.1"]);
  expect(await readFile(join(rootfs, "run/resolv.conf"), "utf8")).toBe("nameserver 192.0.2.1\n");
  expect((await lstat(join(rootfs, "etc/resolv.conf"))).isSymbolicLink()).toBe(true);
});

test("refuses what is no address, and this machine's own root", async () => {
  const rootfs = await rootfsWithEtc();
  await expect(addNameservers(rootfs, ["192.0.2.1\nsearch evil"])).rejects.toMatchObject({
    code: "ANYPROC_INVALID_OPTION",
  });
  await expect(addNameservers("/", ["192.0.2.1"])).rejects.toMatchObject({ code: "ANYPROC_INVALID_OPTION" });
  await expect(addNameservers(join(rootfs, "none"), [])).rejects.toMatchObject({ code: "ANYPROC_ROOTFS_NOT_FOUND" });
});
