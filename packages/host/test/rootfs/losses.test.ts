import { execFileSync } from "node:child_process";
import { chown, lstat, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { openRootfs } from "@anyproc/host";
import { describe, expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../temporary.ts";
import { archiveOf, type Sample, streamOf } from "./archive.ts";
import { asOrdinaryUser } from "./ordinary-user.ts";

const isRoot = process.geteuid?.() === 0;

async function importInto(root: string, samples: readonly Sample[]) {
  return openRootfs(root).importTar(streamOf(archiveOf(samples)));
}

/** Runs with an ordinary user's rights, and in a directory of that user. */
async function unprivileged<T>(action: (root: string) => Promise<T>): Promise<T> {
  const root = await temporaryDirectory();
  if (!isRoot) return action(root);
  await chown(root, 65_534, 65_534);
  return asOrdinaryUser(() => action(root));
}

describe("a report names what could not be kept:", () => {
  test("owners, once for all, where only root could set them", async () => {
    const samples = ["a", "b", "c"].map((path) => ({ path, uid: 12, gid: 34 }));
    const report = await unprivileged((root) => importInto(root, samples));
    expect(report).toMatchObject({ entries: 3, lossCount: 3, losses: [{ path: "a", what: "owner" }] });
  });

  test.runIf(isRoot)("owners not at all, where root sets them", async () => {
    const root = await temporaryDirectory();
    const report = await importInto(root, [
      { path: "file", uid: 12, gid: 34, mode: 0o6755 },
      { path: "directory", type: "directory", uid: 56, gid: 78, mode: 0o2750 },
      { path: "link", type: "symlink", linkPath: "x", uid: 9, gid: 10 },
    ]);
    expect(report.losses).toEqual([]);
    const kept = await Promise.all(["file", "directory", "link"].map((name) => lstat(join(root, name))));
    expect(kept.map(({ uid, gid }) => [uid, gid])).toEqual([
      [12, 34],
      [56, 78],
      [9, 10],
    ]);
    expect(kept.slice(0, 2).map(({ mode }) => mode & 0o7777)).toEqual([0o6755, 0o2750]);
  });

  test("devices, where only root could make them", async () => {
    const device: Sample = { path: "dev/null", type: "character-device", device: { major: 1, minor: 3 } };
    const report = await unprivileged((root) => importInto(root, [device]));
    expect(report.losses).toMatchObject([{ path: "dev/null", what: "device" }]);
  });

  test.runIf(isRoot)("devices not at all, where root makes them", async ({ skip }) => {
    const base = await temporaryDirectory();
    const device: Sample = { path: "null", type: "character-device", device: { major: 1, minor: 3 }, mode: 0o666 };
    const report = await importInto(base, [device, { path: "fifo", type: "fifo", mode: 0o640 }]);
    skip(
      report.losses.some(({ reason }) => reason.includes("not permitted")),
      "this container's root makes no devices",
    );
    expect(report.losses).toEqual([]);
    const copy = openRootfs(join(await temporaryDirectory(), "copy"), { create: true });
    await utimes(base, 1, 1);
    expect((await openRootfs(base).copyTo(copy)).losses).toEqual([]);
    const [made, fifo] = [await lstat(join(copy.directory, "null")), await lstat(join(copy.directory, "fifo"))];
    expect([made.isCharacterDevice(), made.rdev, made.mode & 0o777]).toEqual([
      true,
      (await lstat("/dev/null")).rdev,
      0o666,
    ]);
    expect([fifo.isFIFO(), fifo.mode & 0o777]).toEqual([true, 0o640]);
  });

  test("nanoseconds, once for all, which a floating-point number cannot hold", async () => {
    const root = await temporaryDirectory();
    const mtime = { seconds: 1_700_000_000, nanoseconds: 123_456_789 };
    const report = await importInto(root, [
      { path: "a", mtime },
      { path: "b", mtime },
    ]);
    expect(report).toMatchObject({ lossCount: 2, losses: [{ path: "a", what: "time" }] });
    const { mtimeNs } = await lstat(join(root, "a"), { bigint: true });
    expect(Math.abs(Number(mtimeNs - 1_700_000_000_123_456_789n))).toBeLessThan(1000);
  });

  test("entries of unknown types", async () => {
    const bytes = archiveOf([{ path: "odd" }, { path: "even", content: "kept" }]);
    bytes.write("Z", 156);
    fixChecksum(bytes);
    const report = await openRootfs(await temporaryDirectory()).importTar(streamOf(bytes));
    expect(report).toMatchObject({ entries: 2, losses: [{ path: "odd", what: "file type" }] });
  });

  test("extended attributes", async ({ skip }) => {
    const from = await temporaryDirectory();
    await writeFile(join(from, "file"), "x");
    try {
      execFileSync("setfattr", ["-n", "user.note", "-v", "kept", join(from, "file")], { stdio: "ignore" });
      await utimes(join(from, "file"), 1, 1);
    } catch {
      skip(true, "setfattr(1) is missing, or the file system has no extended attributes");
    }
    const bytes = execFileSync("tar", ["--xattrs", "--format=posix", "-C", from, "-c", "file"]);
    const report = await openRootfs(await temporaryDirectory()).importTar(streamOf(bytes));
    expect(report.losses).toMatchObject([
      { path: "file", what: "xattr", reason: expect.stringContaining("user.note") },
    ]);
  });

  test("sockets, which tar cannot carry", async () => {
    const root = await temporaryDirectory();
    const server = createServer().listen(join(root, "socket"));
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const { tar, report } = openRootfs(root).exportTar();
    tar.resume();
    expect(await report).toMatchObject({ entries: 1, losses: [{ path: "socket", what: "socket" }] });
  });
});

function fixChecksum(header: Buffer): void {
  header.write("        ", 148);
  const sum = header.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
}
