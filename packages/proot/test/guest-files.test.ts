import { mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { describe, expect, test } from "vitest";
import { guestFiles } from "../src/guest-files.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

describe.runIf(process.platform === "linux")("guestFiles", () => {
  test("reads and writes inside the rootfs, whatever absolute links say", async () => {
    const rootfs = await temporaryDirectory();
    const files = guestFiles(rootfs, []);
    await files.mkdir("/var/lib", { recursive: true });
    await files.symlink("/var/lib", "/lib");
    await files.writeFile("/lib/a", "one", { mode: 0o600 });
    expect(await readFile(join(rootfs, "var/lib/a"), "utf8")).toBe("one");
    expect(String(await files.readFile("/../lib/a"))).toBe("one");
    expect((await files.stat("/lib")).isDirectory()).toBe(true);
    expect((await files.lstat("/lib")).isSymbolicLink()).toBe(true);
    expect(await files.readdir("/lib")).toEqual(["a"]);
    await files.rename("/lib/a", "/b");
    await files.chmod("/b", 0o755);
    expect((await stat(join(rootfs, "b"))).mode & 0o777).toBe(0o755);
    await files.rm("/lib");
    await files.rm("/var", { recursive: true });
    expect(await files.readdir("/")).toEqual(["b"]);
  });

  test("never leaves the rootfs by a link", async () => {
    const rootfs = await temporaryDirectory();
    const outside = await temporaryDirectory();
    await writeFile(join(outside, "secret"), "host");
    await symlink(outside, join(rootfs, "out"));
    const files = guestFiles(rootfs, []);
    await expect(files.readFile("/out/secret")).rejects.toMatchObject({ code: "ENOENT" });
    await expect(files.writeFile("/out/secret", "guest")).rejects.toMatchObject({ code: "ENOENT" });
    expect(await readFile(join(outside, "secret"), "utf8")).toBe("host");
  });

  test("streams", async () => {
    const rootfs = await temporaryDirectory();
    const files = guestFiles(rootfs, []);
    const big = "0123456789abcdef".repeat(20_000);
    await pipeline([big], files.createWriteStream("/big"));
    expect(await text(files.createReadStream("/big"))).toBe(big);
    await expect(text(files.createReadStream("/none"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("refuses changes below a read-only bind", async () => {
    const rootfs = await temporaryDirectory();
    const bound = await temporaryDirectory();
    await mkdir(join(bound, "d"));
    const files = guestFiles(rootfs, [{ guest: "/data", host: bound, readOnly: true, noFollow: false }]);
    expect(await files.readdir("/data")).toEqual(["d"]);
    await expect(files.writeFile("/data/f", "")).rejects.toMatchObject({ code: "EROFS" });
    await expect(files.rm("/data/d", { recursive: true })).rejects.toMatchObject({ code: "EROFS" });
  });
});
