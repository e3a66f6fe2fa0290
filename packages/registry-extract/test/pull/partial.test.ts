import { mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PullOptions } from "../../src/index.ts";
import { pullImage, readImageFile } from "../../src/index.ts";
import { createPathFilter } from "../../src/layers/path-filter.ts";
import { findInRootfs } from "../../src/pull/find-in-rootfs.ts";
import { makeImage, writeLayout } from "../fixtures/image.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";
import { listFiles } from "../fixtures/tree.ts";

describe("globs", () => {
  test.each([
    ["etc", ["etc", "etc/passwd", "etc/a/b"], ["etcetera", "usr/etc"]],
    ["/etc/*.conf", ["etc/a.conf"], ["etc/a/b.conf", "etc/a.config", "a.conf"]],
    ["**/lib*.so", ["lib.so", "usr/lib/libc.so"], ["usr/lib/libc.so.6"]],
    ["usr/**", ["usr/a", "usr/a/b"], ["usr", "usr2/a"]],
    ["usr/**/doc", ["usr/doc", "usr/a/b/doc/x"], ["usr/docs"]],
    ["f?o[0-9]", ["foo1", "f.o9/x"], ["fo1", "foo", "f/o1"]],
    ["[!a]b", ["bb"], ["ab"]],
    ["a+(b).c", ["a+(b).c"], ["ab.c"]],
    ["é", ["\xc3\xa9"], ["\xe9"]],
  ])("%s", (glob, matching, others) => {
    const filter = createPathFilter({ include: [glob] });
    for (const path of matching) expect(filter?.(path), path).toBe(true);
    for (const path of others) expect(filter?.(path), path).toBe(false);
  });

  test.each(["../etc", "a/../b", "[a"])("%s is refused", (glob) => {
    expect(() => createPathFilter({ include: [glob] })).toThrowError(/pattern/);
  });

  test("any text is a pattern, or is refused in one sentence", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "/", "*", "?", "[", "]", "!", "^", "-", "\\", ".", "(") });
    fc.assert(
      fc.property(text, (glob) => {
        try {
          createPathFilter({ include: [glob] })?.("a/b");
        } catch (error) {
          expect(error).toMatchObject({ code: "ANYPROC_INVALID_OPTION" });
        }
      }),
      { numRuns: 1000 },
    );
  });
});

const image = makeImage([
  [
    { path: "etc/", mode: 0o700 },
    { path: "etc/os-release", type: "symlink", linkPath: "../usr/lib/os-release" },
    { path: "etc/passwd", content: "p" },
    { path: "usr/lib/os-release", content: "os" },
    { path: "usr/lib/target", content: "t" },
  ],
  [
    { path: "usr/lib/linked", type: "hardlink", linkPath: "usr/lib/target" },
    { path: "etc/.wh.passwd" },
    { path: "etc/group", content: "g" },
  ],
]);

async function pulled(
  options: PullOptions,
): Promise<{ readonly target: string; readonly files: Record<string, string> }> {
  const directory = temporaryDirectory();
  writeLayout(join(directory, "layout"), { image });
  const target = join(directory, "target");
  await pullImage(`oci:${join(directory, "layout")}`, target, { cacheDirectory: join(directory, "cache"), ...options });
  return { target, files: listFiles(target) };
}

describe("a part of an image", () => {
  test("what is included comes with its directories' own attributes", async () => {
    const { target, files } = await pulled({ include: ["etc/*"], exclude: ["etc/os-*"] });
    expect(files).toEqual({ "etc/": "", "etc/group": "g" });
    expect(statSync(join(target, "etc")).mode & 0o777).toBe(0o700);
  });

  test("a hard link brings its content, without the file that it is linked to", async () => {
    const { target, files } = await pulled({ include: ["usr/lib/linked"] });
    expect(files).toEqual({ "usr/": "", "usr/lib/": "", "usr/lib/linked": "t" });
    expect(statSync(join(target, "usr/lib/linked")).nlink).toBe(1);
  });

  test("names are taken off the front", async () => {
    const { files } = await pulled({ stripComponents: 1, include: ["lib"] });
    expect(files).toEqual({ "lib/": "", "lib/linked": "t", "lib/os-release": "os", "lib/target": "t" });
  });

  test("a single file is read, through a link", async () => {
    const directory = temporaryDirectory();
    writeLayout(join(directory, "layout"), { image });
    const reference = `oci:${join(directory, "layout")}`;
    const options = { cacheDirectory: join(directory, "cache") };
    expect((await readImageFile(reference, "/etc/os-release", options)).toString()).toBe("os");
    expect((await readImageFile(reference, "usr/lib/linked", options)).toString()).toBe("t");
    for (const path of ["/etc/passwd", "/etc", "/etc/none"]) {
      await expect(readImageFile(reference, path, options)).rejects.toMatchObject({ code: "ANYPROC_IMAGE_NOT_FOUND" });
    }
  });

  test("is found through links of every component, as inside the image", async () => {
    const link = (path: string, linkPath: string) => ({ type: "symlink", path, linkPath }) as const;
    const image = makeImage([
      [
        { path: "usr/" },
        { path: "usr/lib/real/closed/file", content: "two", mode: 0 },
        { path: "usr/lib/real/closed/", mode: 0 },
        link("lib", "usr/lib"),
        link("usr/lib/by-name", "/lib/real"),
        link("opt/deep", "../usr/../lib/by-name/./"),
      ],
    ]);
    const directory = temporaryDirectory();
    writeLayout(join(directory, "layout"), { image });
    const reference = `oci:${join(directory, "layout")}`;
    const options = { cacheDirectory: join(directory, "cache") };
    expect((await readImageFile(reference, "/opt/deep/closed/file", options)).toString()).toBe("two");
    await expect(readImageFile(reference, "opt/deep/closed/none", options)).rejects.toMatchObject({
      code: "ANYPROC_IMAGE_NOT_FOUND",
    });
  });
});

describe("a path in a root filesystem", () => {
  const links = [
    ["lib", "usr/lib"],
    ["absolute", "/lib/./file"],
    ["out", "../../../../usr/lib/file"],
    ["round", "about"],
    ["about", "/round"],
    ["self", "self/x"],
    ["nowhere", "/etc/none"],
  ] as const;

  function makeTree(): string {
    const rootfs = temporaryDirectory();
    mkdirSync(join(rootfs, "usr/lib"), { recursive: true });
    writeFileSync(join(rootfs, "usr/lib/file"), "");
    for (const [path, target] of links) symlinkSync(target, join(rootfs, path));
    return rootfs;
  }

  test.each([
    ["lib//file", { kind: "file", path: "/usr/lib/file" }],
    ["/absolute", { kind: "file", path: "/usr/lib/file" }],
    ["lib/../../../out", { kind: "file", path: "/usr/lib/file" }],
    ["out", { kind: "file", path: "/usr/lib/file" }],
    ["lib/file/x", { kind: "other", path: "/usr/lib/file" }],
    ["lib/", { kind: "other", path: "/usr/lib" }],
    ["/", { kind: "other", path: "/" }],
    ["nowhere/x", { kind: "missing", path: "/etc", rest: "/etc/none/x" }],
  ])("%s", async (path, found) => {
    expect(await findInRootfs(makeTree(), path)).toEqual(found);
  });

  test.each(["round", "self"])("%s goes on for ever, and is given up", async (path) => {
    await expect(findInRootfs(makeTree(), path)).rejects.toMatchObject({
      code: "ANYPROC_IMAGE_NOT_FOUND",
      message: expect.stringContaining("more than 40"),
    });
  });
});
