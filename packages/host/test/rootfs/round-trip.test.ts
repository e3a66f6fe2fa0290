import { chmod, chown, link, lutimes, mkdir, readdir, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { openRootfs } from "@anyproc/host";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "../temporary.ts";
import { asOrdinaryUser } from "./ordinary-user.ts";
import { snapshot } from "./tree-snapshot.ts";

const isRoot = process.geteuid?.() === 0;

/** A tree with a bit of everything that an ordinary user can make. */
async function makeTree(root: string): Promise<void> {
  await mkdir(join(root, "usr/bin"), { recursive: true });
  await mkdir(join(root, "empty"));
  await writeFile(join(root, "usr/bin/tool"), "#!/bin/sh\n");
  await chmod(join(root, "usr/bin/tool"), 0o4755);
  await link(join(root, "usr/bin/tool"), join(root, "usr/bin/alias"));
  await link(join(root, "usr/bin/tool"), join(root, "another alias"));
  await symlink("usr/bin", join(root, "bin"));
  await symlink("/usr/bin/tool", join(root, "absolute"));
  await symlink("nowhere", join(root, "dangling"));
  await symlink("x".repeat(200), join(root, "long link"));
  await writeFile(join(root, "größe 🙂"), "unicode");
  await writeFile(Buffer.concat([Buffer.from(`${root}/latin1 `), Buffer.from([0xe9])]), "not UTF-8");
  await writeFile(join(root, "new\nline"), "");
  await writeFile(join(root, "no access"), "secret", { mode: 0o000 });
  await writeFile(join(root, "binary"), Buffer.from(Array.from({ length: 70_001 }, (_, index) => index % 256)));
  await truncate(join(root, "binary"), 1_000_003);
  const deep = join(root, ...Array.from({ length: 30 }, (_, index) => `directory ${index}`));
  await mkdir(deep, { recursive: true });
  await writeFile(join(deep, "y".repeat(150)), "deep");
  await mkdir(join(root, "read only"));
  await writeFile(join(root, "read only/file"), "r", { mode: 0o444 });
  await mkdir(join(root, "closed"));
  await writeFile(join(root, "closed/file"), "c");
  await mkdir(join(root, "sticky"));
  await chmod(join(root, "sticky"), 0o1777);
  await setTimes(root);
  await lutimes(join(root, "dangling"), 12_345, 12_345);
  await utimes(join(root, "empty"), 1_700_000_000.25, 1_700_000_000.25);
  await utimes(join(root, "binary"), "-1000.5", "-1000.5");
  await utimes(join(root, "new\nline"), 5_000_000_000, 5_000_000_000);
  await chmod(join(root, "read only"), 0o555);
  await chmod(join(root, "closed"), 0o000);
}

/** Times that a floating-point number can hold, as node:fs wants them; each place has its own. */
async function setTimes(path: string, time = 1_600_000_000.5): Promise<void> {
  const children = await readdir(path, { withFileTypes: true, encoding: "buffer" });
  for (const [index, child] of children.entries()) {
    const place = Buffer.concat([Buffer.from(`${path}/`), child.name]);
    if (child.isDirectory()) await setTimes(place.toString(), time + index * 1000);
    else await lutimes(place, time + index, time + index);
  }
  await lutimes(path, time, time);
}

async function expectSameAfterRoundTrip(base: string): Promise<void> {
  const [from, to] = [join(base, "from"), join(base, "to")];
  await mkdir(from);
  await makeTree(from);
  const before = await snapshot(from);
  const source = openRootfs(from);
  const target = openRootfs(to, { create: true });
  const { tar, report } = source.exportTar();
  const imported = await target.importTar(tar);
  const exported = await report;
  expect({ ...exported, bytes: 0 }).toEqual({
    entries: Object.keys(before).length,
    bytes: 0,
    losses: [],
    lossCount: 0,
  });
  expect(imported).toEqual(exported);
  expect(await snapshot(to)).toEqual(before);
  expect(await snapshot(from)).toEqual(before);
}

describe("a rootfs", () => {
  test("is the same after an export and an import", async () => {
    await expectSameAfterRoundTrip(await temporaryDirectory());
  });

  test.runIf(isRoot)("is the same for an ordinary user", async () => {
    const base = await temporaryDirectory();
    await chown(base, 65_534, 65_534);
    // As root a mode of 000 keeps nobody out, so snapshots are taken as root and everything else is not.
    const [from, to] = [join(base, "from"), join(base, "to")];
    await asOrdinaryUser(async () => {
      await mkdir(from);
      await makeTree(from);
    });
    const before = await snapshot(from);
    const report = await asOrdinaryUser(() => openRootfs(from).copyTo(openRootfs(to, { create: true })));
    expect(report).toMatchObject({ losses: [], lossCount: 0 });
    expect(await snapshot(to)).toEqual(before);
    expect(await snapshot(from)).toEqual(before);
  });

  test("is the same after a copy over another version of itself", async () => {
    const base = await temporaryDirectory();
    const [from, to] = [join(base, "from"), join(base, "to")];
    await mkdir(from);
    await makeTree(from);
    await mkdir(join(to, "dangling/was a directory"), { recursive: true });
    await mkdir(join(to, "usr"));
    await writeFile(join(to, "usr/bin"), "was a file");
    await symlink("usr", join(to, "empty"));
    await openRootfs(from).copyTo(openRootfs(to));
    expect(await snapshot(to)).toEqual(await snapshot(from));
  });

  test("is copied while it streams: nothing is read ahead of a reader that waits", async () => {
    const base = await temporaryDirectory();
    await writeFile(join(base, "large"), Buffer.alloc(8 * 1024 * 1024));
    const { tar, report } = openRootfs(base).exportTar();
    const slow = tar.pipe(new PassThrough());
    await new Promise((resolve) => slow.once("readable", resolve));
    expect(tar.readableLength + slow.readableLength).toBeLessThan(2 * 1024 * 1024);
    slow.resume();
    expect(await report).toMatchObject({ entries: 2, bytes: 8 * 1024 * 1024 });
  });

  test("cannot be copied into itself", async () => {
    const base = await temporaryDirectory();
    const inside = openRootfs(join(base, "inside"), { create: true });
    await expect(openRootfs(base).copyTo(inside)).rejects.toMatchObject({ code: "ANYPROC_INVALID_OPTION" });
  });

  test("that is missing is an error of its own", () => {
    expect(() => openRootfs("/nonexistent/rootfs")).toThrow(
      expect.objectContaining({
        code: "ANYPROC_ROOTFS_NOT_FOUND",
        message: expect.stringContaining("/nonexistent/rootfs"),
      }),
    );
  });
});
