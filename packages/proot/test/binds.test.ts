import { mkdir, realpath, symlink } from "node:fs/promises";
import { join } from "node:path";
import { type Bind, parseBind } from "@anyproc/proot";
import { expect, test } from "vitest";
import { resolveBinds, toBinds, usualBinds } from "../src/binds.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

test.each([
  ["/a", { host: "/a", readOnly: false }],
  ["/a:/b", { host: "/a", guest: "/b", readOnly: false }],
  ["/a:/b:ro", { host: "/a", guest: "/b", readOnly: true }],
  ["/a::ro", { host: "/a", readOnly: true }],
  ["/a::optional", { host: "/a", readOnly: false, optional: true }],
  ["/a:/b!", { host: "/a", guest: "/b", readOnly: false, noFollow: true }],
  ["/a:/b!:ro", { host: "/a", guest: "/b", readOnly: true, noFollow: true }],
  ["/a:/b:ro,optional", { host: "/a", guest: "/b", readOnly: true, optional: true }],
])("parseBind reads %s", (text, bind) => {
  expect(parseBind(text)).toEqual(bind);
});

test.each(["", ":/b", "/a:/b:rx", "/a:/b:ro,", "/a:/b:ro:more", "/a:!"])("parseBind refuses %j", (text) => {
  expect(() => parseBind(text)).toThrow(expect.objectContaining({ code: "ANYPROC_INVALID_OPTION" }));
});

test("binds are canonical, and of two at one place the later one counts", async () => {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, "real"));
  await symlink("real", join(directory, "link"));
  const binds = await resolveBinds("/srv/rootfs", [
    parseBind(`${directory}:/mnt/./x/`),
    { host: join(directory, "link"), guest: "/mnt/x", readOnly: true },
  ]);
  expect(binds).toEqual([
    { host: await realpath(join(directory, "real")), guest: "/mnt/x", readOnly: true, noFollow: false },
  ]);
});

test("guest paths follow the rootfs's own links, and a last one not with noFollow", async () => {
  const rootfs = await temporaryDirectory();
  await mkdir(join(rootfs, "usr/lib"), { recursive: true });
  await symlink("usr/lib", join(rootfs, "lib"));
  await symlink("nowhere", join(rootfs, "dangling"));
  const places = ["/lib", "/lib!", "/lib/new/file", "/lib/new!", "/dangling"].map((place) => `/etc:${place}`);
  const binds = await resolveBinds(rootfs, places.map(parseBind));
  const guests = binds.map(({ guest }) => guest);
  expect(guests).toEqual(["/usr/lib", "/lib", "/usr/lib/new/file", "/usr/lib/new", "/dangling"]);
});

test("optional binds may be missing, others may not; relative paths and / are refused", async () => {
  const resolve = (bind: Bind | string) => resolveBinds("/srv/rootfs", toBinds([bind]));
  expect(await resolve({ host: "/no/such", optional: true })).toEqual([]);
  await expect(resolve("/no/such")).rejects.toMatchObject({ code: "ANYPROC_INVALID_OPTION" });
  await expect(resolve("etc")).rejects.toMatchObject({ code: "ANYPROC_INVALID_OPTION" });
  await expect(resolve("/etc:/")).rejects.toMatchObject({ code: "ANYPROC_INVALID_OPTION" });
});

test("a bind of the host's own path changes nothing when the rootfs is /", async () => {
  expect(await resolveBinds("/", usualBinds)).toEqual([]);
});
