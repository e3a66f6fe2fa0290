import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { applyTo, type LayerContent } from "../fixtures/apply.ts";
import { archive } from "../fixtures/archive.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";
import { describeTree, listFiles } from "../fixtures/tree.ts";

/** Applies beside a directory that must stay as it is. */
async function applyBesideVictim(layers: readonly LayerContent[]): Promise<unknown> {
  const directory = temporaryDirectory();
  const victim = join(directory, "victim");
  mkdirSync(victim);
  writeFileSync(join(victim, "secret"), "secret", { mode: 0o600 });
  const before = describeTree(victim);
  let failure: unknown;
  try {
    await applyTo(directory, layers);
  } catch (error) {
    failure = error;
  }
  expect(describeTree(victim)).toEqual(before);
  expect(listFiles(directory)).not.toHaveProperty("escaped");
  return failure;
}

describe("names that lead out of the image are refused", () => {
  test.each(["../escaped", "a/../../escaped", "/../escaped", "../victim/secret", "./../escaped"])(
    "%s",
    async (path) => {
      const failure = await applyBesideVictim([[{ path, content: "x" }]]);
      expect(failure).toMatchObject({ code: "ANYPROC_UNSAFE_PATH" });
    },
  );

  test.each([".wh.", ".wh..", ".wh...", "dir/.wh..", "dir/.wh...", "../.wh.victim", "dir/.wh.x/y"])(
    "whiteout %s",
    async (path) => {
      const failure = await applyBesideVictim([[{ path: "dir/file", content: "x" }], [{ path }]]);
      expect(failure).toMatchObject({ code: "ANYPROC_UNSAFE_PATH" });
    },
  );

  test("the root directory is no file, and no link", async () => {
    for (const type of ["file", "symlink"] as const) {
      const failure = await applyBesideVictim([[{ path: ".", type, linkPath: "/victim" }]]);
      expect(failure).toMatchObject({ code: "ANYPROC_UNSAFE_PATH" });
    }
  });
});

describe("links are followed inside the image only", () => {
  test.each(["..", "../victim", "../../../../../../", "/", "/proc/self/cwd/..", "../rootfs/../victim"])(
    "a file through a link to %s",
    async (linkPath) => {
      await applyBesideVictim([
        [{ path: "link", type: "symlink", linkPath }],
        [
          { path: "link/escaped", content: "x" },
          { path: "link/secret", content: "x" },
          { path: "link/victim/secret", content: "x", mode: 0o777 },
        ],
      ]);
    },
  );

  test("an absolute link names the image's own root", async () => {
    const { root } = await applyTo(temporaryDirectory(), [
      [{ path: "etc", type: "symlink", linkPath: "/real/etc" }],
      [{ path: "etc/passwd", content: "x" }],
    ]);
    expect(listFiles(root)).toMatchObject({ "real/etc/passwd": "x" });
  });

  test("hard links cannot reach out", async () => {
    for (const linkPath of ["../victim/secret", "/../victim/secret"]) {
      const failure = await applyBesideVictim([[{ path: "stolen", type: "hardlink", linkPath }]]);
      expect(failure).toMatchObject({ code: "ANYPROC_UNSAFE_PATH" });
    }
    const failure = await applyBesideVictim([
      [{ path: "link", type: "symlink", linkPath: "../victim" }],
      [{ path: "stolen", type: "hardlink", linkPath: "link/secret" }],
    ]);
    expect(failure).toMatchObject({
      code: "ANYPROC_ARCHIVE_INVALID",
      message: expect.stringContaining("no such file"),
    });
  });

  test("a hard link to a symbolic link is a link, and is not followed when it is written to", async () => {
    await applyBesideVictim([
      [{ path: "link", type: "symlink", linkPath: "../victim/secret" }],
      [{ path: "hard", type: "hardlink", linkPath: "link" }],
      [{ path: "hard", content: "overwritten", mode: 0o777 }],
    ]);
  });

  test("whiteouts and opaque directories work inside the image only", async () => {
    await applyBesideVictim([
      [{ path: "link", type: "symlink", linkPath: "../victim" }],
      [{ path: "link/.wh.secret" }, { path: "link/.wh..wh..opq" }],
      [{ path: ".wh.link" }],
    ]);
  });

  test("links that go round in circles are refused", async () => {
    const failure = await applyBesideVictim([
      [
        { path: "a", type: "symlink", linkPath: "b" },
        { path: "b", type: "symlink", linkPath: "a" },
      ],
      [{ path: "a/file", content: "x" }],
    ]);
    expect(failure).toMatchObject({ code: "ANYPROC_UNSAFE_PATH" });
  });

  test("a directory that turns into a link between two entries is seen", async () => {
    await applyBesideVictim([
      [
        { path: "dir/file", content: "x" },
        { path: "dir", type: "symlink", linkPath: "../victim" },
        { path: "dir/secret", content: "x" },
        { path: "dir/", mode: 0o777 },
      ],
    ]);
  });

  test("a device of the host is not written to", async () => {
    await applyBesideVictim([
      [{ path: "node", type: "character-device", device: { major: 1, minor: 3 } }],
      [{ path: "node", content: "x" }],
    ]);
  });
});

describe("limits", () => {
  test("a bomb of zeros is refused by its ratio", async () => {
    const size = 80 * 1024 * 1024;
    const bomb = gzipSync(Buffer.concat([archive([{ path: "zeros", size }], { end: false }), Buffer.alloc(size)]));
    await expect(applyTo(temporaryDirectory(), [bomb])).rejects.toMatchObject({
      code: "ANYPROC_IMAGE_LIMIT",
      message: expect.stringContaining("maxRatio"),
    });
  });

  test("so are too many bytes and too many entries, of all layers together", async () => {
    const layer = [{ path: "a", content: "x".repeat(5000) }];
    await expect(applyTo(temporaryDirectory(), [layer, layer], { limits: { maxBytes: 10_000 } })).rejects.toMatchObject(
      {
        code: "ANYPROC_IMAGE_LIMIT",
        message: expect.stringContaining("maxBytes"),
      },
    );
    await expect(applyTo(temporaryDirectory(), [layer, layer], { limits: { maxEntries: 1 } })).rejects.toMatchObject({
      code: "ANYPROC_IMAGE_LIMIT",
      message: expect.stringContaining("maxEntries"),
    });
  });

  test.each([
    ["files", ""],
    ["directories", "/"],
  ])("so are extended attributes without end, of %s", async (_, suffix) => {
    // More for each than any file system takes; what is equal is remembered once.
    const entries = Array.from({ length: 40 }, (_, index) => ({
      path: `${index}${suffix}`,
      xattrs: { "user.large": `${index}`.padEnd(900_000, "x") },
    }));
    await expect(applyTo(temporaryDirectory(), [entries])).rejects.toMatchObject({ code: "ANYPROC_IMAGE_LIMIT" });
  });

  test("a sparse file takes no room", async () => {
    const { root } = await applyTo(temporaryDirectory(), [[{ path: "holes", content: "", xattrs: {} }]]);
    expect(statSync(join(root, "holes")).blocks).toBe(0);
  });
});

describe("damage", () => {
  test("compressed data that is wrong or cut short", async () => {
    const good = gzipSync(archive([{ path: "a", content: "x".repeat(100_000) }]));
    await expect(applyTo(temporaryDirectory(), [good.subarray(0, good.length - 20)])).rejects.toMatchObject({
      code: "ANYPROC_ARCHIVE_INVALID",
    });
    const wrong = Buffer.from(good);
    wrong.fill(0xff, 30, 60);
    await expect(applyTo(temporaryDirectory(), [wrong])).rejects.toMatchObject({ code: "ANYPROC_ARCHIVE_INVALID" });
  });

  test("another compression, and what is no archive, in one sentence", async () => {
    const xz = Buffer.from("fd377a585a000000", "hex");
    await expect(applyTo(temporaryDirectory(), [xz])).rejects.toThrowError(/compressed with xz: use gzip/);
    const text = Buffer.alloc(2000, "hello ");
    await expect(applyTo(temporaryDirectory(), [text])).rejects.toThrowError(/not a tar archive/);
  });

  test("names and links longer than the system takes name the entry", async () => {
    await expect(applyTo(temporaryDirectory(), [[{ path: "x".repeat(300), content: "x" }]])).rejects.toMatchObject({
      code: "ANYPROC_TARGET_UNWRITABLE",
      message: expect.stringContaining("ENAMETOOLONG"),
    });
  });

  test("a file cannot lie below a file", async () => {
    const layers = [[{ path: "a", content: "x" }], [{ path: "a/b", content: "y" }]];
    await expect(applyTo(temporaryDirectory(), layers)).rejects.toThrowError(
      /"a\/b" lies below "a", which is no directory|lies below/,
    );
  });
});

test("an empty layer and a layer without its end mark are layers", async () => {
  const { root } = await applyTo(temporaryDirectory(), [
    archive([]),
    Buffer.alloc(0),
    archive([{ path: "a", content: "a" }], { end: false }),
  ]);
  expect(readFileSync(join(root, "a"), "utf8")).toBe("a");
});
