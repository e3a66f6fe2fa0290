import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ResolvedBind } from "../src/binds.ts";
import { resolveGuestPath, toHost } from "../src/guest-path.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

describe("resolveGuestPath", () => {
  test("reads links in guest terms and stops .. at the guest's root", async () => {
    const rootfs = await temporaryDirectory();
    await mkdir(join(rootfs, "a/b"), { recursive: true });
    await writeFile(join(rootfs, "a/file"), "");
    await symlink("/a/b/../../../../a", join(rootfs, "link"));
    const place = await resolveGuestPath(rootfs, [], "/../link/./file");
    expect(place).toEqual({ guest: "/a/file", host: join(rootfs, "a/file"), isMissing: false, isLink: false });
  });

  test("gives a link itself when it is not followed", async () => {
    const rootfs = await temporaryDirectory();
    await symlink("/nowhere", join(rootfs, "link"));
    expect(await resolveGuestPath(rootfs, [], "/link", { follow: false })).toMatchObject({
      guest: "/link",
      isLink: true,
    });
    expect(await resolveGuestPath(rootfs, [], "/link")).toMatchObject({ guest: "/nowhere", isMissing: true });
  });

  test.each([
    ["ELOOP", "/loop"],
    ["ENOENT", "/none/below"],
    ["ENOTDIR", "/file/below"],
  ])("fails with %s for %s", async (code, path) => {
    const rootfs = await temporaryDirectory();
    await symlink("loop", join(rootfs, "loop"));
    await writeFile(join(rootfs, "file"), "");
    await expect(resolveGuestPath(rootfs, [], path)).rejects.toMatchObject({ code });
  });

  test("crosses into binds, the longest guest path first, also by a link", async () => {
    const rootfs = await temporaryDirectory();
    const outer = await temporaryDirectory();
    const inner = await temporaryDirectory();
    await writeFile(join(inner, "file"), "");
    await symlink("/mnt/inner", join(rootfs, "short"));
    const binds: ResolvedBind[] = [
      { guest: "/mnt", host: outer, readOnly: false, noFollow: false },
      { guest: "/mnt/inner", host: inner, readOnly: true, noFollow: false },
    ];
    expect(await resolveGuestPath(rootfs, binds, "/short/file")).toMatchObject({
      guest: "/mnt/inner/file",
      host: join(inner, "file"),
    });
    expect(toHost(rootfs, binds, "/mntx")).toBe(join(rootfs, "mntx"));
  });
});
