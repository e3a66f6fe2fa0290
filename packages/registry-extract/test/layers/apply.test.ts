import { chmodSync, lstatSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseRootfsMetadata } from "@anyproc/core";
import { describe, expect, test } from "vitest";
import { loadNativeFiles } from "../../src/layers/native-files.ts";
import { applyTo } from "../fixtures/apply.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";
import { listFiles } from "../fixtures/tree.ts";

const isRoot = process.geteuid?.() === 0;
const hasAddon = loadNativeFiles() !== undefined;

describe("layers in order", () => {
  test("a later layer replaces files, whatever they were", async () => {
    const { root } = await applyTo(temporaryDirectory(), [
      [
        { path: "file", content: "old" },
        { path: "directory/", mode: 0o700 },
        { path: "directory/inside", content: "x" },
        { path: "link", type: "symlink", linkPath: "file" },
        { path: "turns-into-directory", content: "x" },
      ],
      [
        { path: "file", content: "new" },
        { path: "directory", content: "now a file" },
        { path: "link", content: "not through the link" },
        { path: "turns-into-directory/" },
        { path: "turns-into-directory/inside", content: "y" },
      ],
    ]);
    expect(listFiles(root)).toEqual({
      directory: "now a file",
      file: "new",
      link: "not through the link",
      "turns-into-directory/": "",
      "turns-into-directory/inside": "y",
    });
  });

  test("directories are merged, and get the attributes of the last layer that has them", async () => {
    const { root } = await applyTo(temporaryDirectory(), [
      [
        { path: "a/", mode: 0o755 },
        { path: "a/1", content: "1" },
      ],
      [
        { path: "a/", mode: 0o2750, mtime: { seconds: 5, nanoseconds: 0 } },
        { path: "a/2", content: "2" },
      ],
    ]);
    expect(listFiles(root)).toEqual({ "a/": "", "a/1": "1", "a/2": "2" });
    expect(statSync(join(root, "a")).mode & 0o7777).toBe(0o2750);
    expect(statSync(join(root, "a")).mtimeMs).toBe(5000);
  });

  test("a path through a link of a lower layer leads where the link leads inside the image", async () => {
    const { root } = await applyTo(temporaryDirectory(), [
      [
        { path: "usr/lib/" },
        { path: "lib", type: "symlink", linkPath: "/usr/lib" },
        { path: "up", type: "symlink", linkPath: "../../../usr" },
      ],
      [
        { path: "lib/a.so", content: "a" },
        { path: "up/lib/b.so", content: "b" },
      ],
    ]);
    expect(listFiles(root)).toMatchObject({ "usr/lib/a.so": "a", "usr/lib/b.so": "b", lib: "-> /usr/lib" });
  });

  test("replacing one name of a hard link leaves the other alone", async () => {
    const { root } = await applyTo(temporaryDirectory(), [
      [
        { path: "a", content: "shared" },
        { path: "b", type: "hardlink", linkPath: "a" },
      ],
      [{ path: "a", content: "own" }],
    ]);
    expect(listFiles(root)).toEqual({ a: "own", b: "shared" });
  });

  test("a hard link into a lower layer shares its file", async () => {
    const { root } = await applyTo(temporaryDirectory(), [
      [{ path: "dir/a", content: "shared" }],
      [{ path: "b", type: "hardlink", linkPath: "/dir/a" }],
    ]);
    expect(lstatSync(join(root, "b")).ino).toBe(lstatSync(join(root, "dir/a")).ino);
  });
});

describe("whiteouts", () => {
  test("hide files and whole directories of lower layers", async () => {
    const { root } = await applyTo(temporaryDirectory(), [
      [
        { path: "keep", content: "k" },
        { path: "gone", content: "g" },
        { path: "dir/sub/deep", content: "d" },
        { path: "link", type: "symlink", linkPath: "keep" },
      ],
      [{ path: ".wh.gone" }, { path: ".wh.dir" }, { path: ".wh.link" }, { path: ".wh.never-there" }],
    ]);
    expect(listFiles(root)).toEqual({ keep: "k" });
  });

  test("leave alone what their own layer brings, in whatever order", async () => {
    const { root } = await applyTo(temporaryDirectory(), [
      [
        { path: "dir/old", content: "o" },
        { path: "file", content: "o" },
      ],
      [
        { path: "dir/" },
        { path: "dir/new", content: "n" },
        { path: ".wh.dir" },
        { path: ".wh.file" },
        { path: "file", content: "n" },
      ],
    ]);
    expect(listFiles(root)).toEqual({ "dir/": "", "dir/new": "n", file: "n" });
  });

  test("an opaque directory hides what lower layers have in it, in whatever order", async () => {
    const { root } = await applyTo(temporaryDirectory(), [
      [
        { path: "dir/old", content: "o" },
        { path: "dir/sub/old", content: "o" },
        { path: "other", content: "x" },
      ],
      [{ path: "dir/new", content: "n" }, { path: "dir/.wh..wh..opq" }, { path: "dir/sub/new", content: "n" }],
    ]);
    expect(listFiles(root)).toEqual({ "dir/": "", "dir/new": "n", "dir/sub/": "", "dir/sub/new": "n", other: "x" });
  });

  test("do nothing in the lowest layer, and AUFS's own files are no files", async () => {
    const { root } = await applyTo(temporaryDirectory(), [
      [
        { path: "a", content: "a" },
        { path: ".wh.a" },
        { path: ".wh..wh.aufs" },
        { path: ".wh..wh.plnk/1.2", content: "x" },
        { path: ".wh..wh..opq" },
      ],
    ]);
    expect(listFiles(root)).toEqual({ a: "a" });
  });
});

describe("attributes", () => {
  test("modes, set-user-ID bits and times are kept, also of directories closed to their owner", async () => {
    const time = { seconds: 1_234_567_890, nanoseconds: 0 };
    const { root } = await applyTo(temporaryDirectory(), [
      [
        { path: "closed/", mode: 0, mtime: time },
        { path: "closed/inside", content: "x", mode: 0o4755, mtime: time },
        { path: "closed/dir/", mode: 0o555, mtime: time },
        { path: "closed/dir/file", content: "y", mode: 0, mtime: time },
        { path: "link", type: "symlink", linkPath: "closed", mtime: time },
      ],
      [{ path: "closed/dir/more", content: "z", mtime: time }],
    ]);
    expect(statSync(join(root, "closed")).mode & 0o7777).toBe(0);
    expect(statSync(join(root, "closed")).mtimeMs).toBe(1_234_567_890_000);
    expect(lstatSync(join(root, "link")).mtimeMs).toBe(1_234_567_890_000);
    chmodSync(join(root, "closed"), 0o700);
    expect(statSync(join(root, "closed/inside")).mode & 0o7777).toBe(0o4755);
    expect(statSync(join(root, "closed/dir")).mode & 0o7777).toBe(0o555);
    expect(statSync(join(root, "closed/dir/more")).size).toBe(1);
  });

  test.skipIf(!hasAddon)("times are exact to the nanosecond, and may lie before 1970", async () => {
    const { root } = await applyTo(temporaryDirectory(), [
      [
        { path: "exact", mtime: { seconds: 1_700_000_000, nanoseconds: 123_456_789 } },
        { path: "old", mtime: { seconds: -5, nanoseconds: 0 } },
      ],
    ]);
    expect(statSync(join(root, "exact"), { bigint: true }).mtimeNs).toBe(1_700_000_000_123_456_789n);
    expect(statSync(join(root, "old"), { bigint: true }).mtimeNs).toBe(-5_000_000_000n);
  });

  test.skipIf(!isRoot || !hasAddon)("root gets real owners, devices and attributes, and no metadata file", async () => {
    const { root, hasMetadata } = await applyTo(temporaryDirectory(), [
      [
        { path: "owned", content: "x", uid: 1000, gid: 2000, mode: 0o2755 },
        { path: "null", type: "character-device", device: { major: 1, minor: 3 }, mode: 0o666, uid: 3 },
        { path: "disk", type: "block-device", device: { major: 259, minor: 1000 }, mode: 0o660 },
        { path: "pipe", type: "fifo", mode: 0o640 },
        { path: "attributes", content: "x", xattrs: { "user.note": "hello", "trusted.x": "\0\u0001" } },
      ],
    ]);
    expect(hasMetadata).toBe(false);
    expect(lstatSync(join(root, "owned"))).toMatchObject({ uid: 1000, gid: 2000 });
    expect(lstatSync(join(root, "owned")).mode & 0o7777).toBe(0o2755);
    const device = lstatSync(join(root, "null"));
    expect([device.isCharacterDevice(), device.rdev, device.uid, device.mode & 0o7777]).toEqual([
      true,
      0x103,
      3,
      0o666,
    ]);
    expect(lstatSync(join(root, "disk")).isBlockDevice()).toBe(true);
    expect(lstatSync(join(root, "pipe")).isFIFO()).toBe(true);
    const xattrs = loadNativeFiles()?.getXattrs(Buffer.from(join(root, "attributes")));
    expect(xattrs).toMatchObject({ "user.note": Buffer.from("hello"), "trusted.x": Buffer.from("\0\u0001") });
  });

  test("without root, what cannot be made is written beside the rootfs, and goes when the file goes", async () => {
    const { root, metadataPath } = await applyTo(
      temporaryDirectory(),
      [
        [
          { path: "owned", content: "x", uid: 1000, gid: 2000 },
          { path: "null", type: "character-device", device: { major: 1, minor: 3 }, mode: 0o666 },
          { path: "capable", content: "x", xattrs: { "security.capability": "cap" } },
          { path: "removed", uid: 7 },
          { path: "replaced", uid: 7 },
          { path: "same", type: "hardlink", linkPath: "owned" },
          { path: "dir/", gid: 5 },
          { path: "closed", content: "x", uid: 9, gid: 9, mode: 0o440 },
          { path: "f\xfcr", uid: 1 },
        ],
        [{ path: ".wh.removed" }, { path: "replaced" }],
      ],
      { privileged: false },
    );
    const { owner, entries } = parseRootfsMetadata("metadata", readFileSync(metadataPath, "utf8"));
    const byPath = new Map([...entries].map(({ path, ...rest }) => [Buffer.from(path).toString("latin1"), rest]));
    expect(owner).toEqual({ uid: 0, gid: 0 });
    expect(byPath.get("owned")).toEqual({ uid: 1000, gid: 2000 });
    expect(byPath.get("same")).toEqual({ uid: 1000, gid: 2000 });
    expect(byPath.get("null")).toEqual({ type: "character-device", major: 1, minor: 3 });
    expect(byPath.get("dir")).toEqual({ uid: 0, gid: 5 });
    expect(byPath.get("f\xfcr")).toEqual({ uid: 1, gid: 0 });
    expect(byPath.has("removed") || byPath.has("replaced")).toBe(false);
    expect(lstatSync(join(root, "null")).isFile()).toBe(true);
    expect(lstatSync(join(root, "null")).mode & 0o7777).toBe(0o666);
    expect(lstatSync(join(root, "closed")).mode & 0o7777).toBe(0o440);
    const native = loadNativeFiles();
    if (!native) return;
    const mark = (path: string) => String(native.getXattrs(Buffer.from(join(root, path)))["user.anyproc.owner"]);
    expect(["", "owned", "same", "dir", "closed", "replaced"].map(mark)).toEqual([
      "0:0",
      "1000:2000",
      "1000:2000",
      "0:5",
      "9:9",
      "undefined",
    ]);
  });
});
