import { execFileSync, spawnSync } from "node:child_process";
import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inspectImage, pullImage, saveImage } from "../../src/index.ts";
import { makeRootfs } from "../fixtures/rootfs.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";
import { describeTree, listFiles } from "../fixtures/tree.ts";

const missing = spawnSync("skopeo", ["--version"]).error && "skopeo is missing: apt-get install skopeo";
if (missing && process.env["CI"]) throw new Error(missing);
if (missing) console.log(`skipped: ${missing}`);

describe.each([
  ["oci:", "a/layout", ":mine"],
  ["oci-archive:", "a/layout.tar", ":mine"],
  ["docker-archive:", "a/saved.tar", ":example.org/team/tool:mine"],
])("%s", (kind, place, tag) => {
  test("what is saved is unpacked again, the same in every way", async () => {
    const { directory, rootfs } = await makeRootfs();
    const cacheDirectory = join(directory, "cache");
    const target = `${kind}${join(directory, place)}${tag}`;
    const config = { cmd: ["/bin/tool"], env: ["A=b"], labels: { x: "y" } };
    const saved = await saveImage(target, { rootfs, config }, { cacheDirectory });
    expect(saved.target).toBe(target);
    const { image } = await pullImage(target, join(directory, "pulled"), { cacheDirectory });
    expect(describeTree(join(directory, "pulled"))).toEqual(describeTree(rootfs));
    expect(image.config).toMatchObject(config);
    if (kind !== "docker-archive:") expect(image.digest).toBe(saved.digest);
  });

  test.skipIf(missing)("skopeo reads it", async () => {
    const { directory, rootfs } = await makeRootfs();
    const target = `${kind}${join(directory, place)}${tag}`;
    await saveImage(target, { rootfs, config: { cmd: ["/bin/tool"] } }, { cacheDirectory: join(directory, "cache") });
    const read = execFileSync("skopeo", ["inspect", "--config", target], { encoding: "utf8" });
    expect(JSON.parse(read)).toMatchObject({
      config: { Cmd: ["/bin/tool"] },
      rootfs: { diff_ids: [expect.any(String)] },
    });
    // It reads every byte, and checks every digest.
    execFileSync("skopeo", ["copy", "-q", target, `dir:${join(directory, "copy")}`]);
  });
});

const noAttributes = spawnSync("setfattr", ["--version"]).error && "setfattr is missing: apt-get install attr";
if (noAttributes && process.env["CI"]) throw new Error(noAttributes);
if (noAttributes) console.log(`skipped: ${noAttributes}`);

test.skipIf(noAttributes)("owners that guests gave to files are those of the image, and no attributes", async () => {
  const directory = temporaryDirectory();
  const rootfs = join(directory, "rootfs");
  for (const name of ["theirs", "unmarked"]) mkdirSync(join(rootfs, name), { recursive: true });
  writeFileSync(join(rootfs, "theirs/file"), "");
  linkSync(join(rootfs, "theirs/file"), join(rootfs, "theirs/link"));
  symlinkSync("file", join(rootfs, "theirs/symlink"));
  const mark = (path: string, owner: string): void => {
    execFileSync("setfattr", ["-n", "user.anyproc.owner", "-v", owner, join(rootfs, path)]);
  };
  mark("", "0:0");
  mark("theirs", "33:44");
  mark("theirs/file", "55:66");
  const archive = join(directory, "saved.tar");
  const input = { rootfs, compression: "none", config: { cmd: ["/bin/tool"] } } as const;
  await saveImage(`docker-archive:${archive}:a:b`, input, { cacheDirectory: join(directory, "cache") });
  execFileSync("tar", ["-C", directory, "-xf", archive]);
  const [{ Layers }] = JSON.parse(readFileSync(join(directory, "manifest.json"), "utf8"));
  const list = execFileSync("tar", ["--xattrs", "--numeric-owner", "-tvvf", join(directory, Layers[0])]).toString();
  const owners = list.matchAll(/^\S+ +(\S+) +\d+ \S+ \S+ (\S+?)\/?(?: -> .*| link to .*)?$/gm);
  expect(Object.fromEntries([...owners].map(([, owner, path]) => [path, owner]))).toEqual({
    ".": "0/0",
    theirs: "33/44",
    "theirs/file": "55/66",
    "theirs/link": "55/66",
    "theirs/symlink": "0/0",
    unmarked: "0/0",
  });
  expect(list).not.toContain("user.anyproc");
});

test("a layout holds several images; a new one takes the place of the one of its name", async () => {
  const { directory, rootfs } = await makeRootfs();
  const options = { cacheDirectory: join(directory, "cache") };
  const layout = `oci:${join(directory, "layout")}`;
  await saveImage(`${layout}:a`, { rootfs, config: { cmd: ["first"] } }, options);
  await saveImage(`${layout}:b`, { rootfs, config: { cmd: ["other"] } }, options);
  await saveImage(`${layout}:a`, { rootfs, config: { cmd: ["later"] } }, options);
  await saveImage(
    layout,
    [
      { rootfs, platform: "linux/amd64" },
      { rootfs, platform: "linux/arm64" },
    ],
    options,
  );
  const commandOf = async (tag: string) => (await inspectImage(`${layout}:${tag}`, options)).config.cmd;
  expect([await commandOf("a"), await commandOf("b")]).toEqual([["later"], ["other"]]);
  const several = await inspectImage(`${layout}:latest`, { ...options, platform: "linux/arm64" });
  expect(several.platforms.map(({ architecture }) => architecture)).toEqual(["amd64", "arm64"]);
  expect(JSON.parse(readFileSync(join(directory, "layout/index.json"), "utf8")).manifests).toHaveLength(3);
});

describe("is refused", () => {
  test.each([
    ["oci", "ANYPROC_REFERENCE_INVALID", /oci:DIR/],
    ["oci::tag", "ANYPROC_REFERENCE_INVALID", /oci:DIR/],
    ["docker-archive:/x:Not a name", "ANYPROC_REFERENCE_INVALID", /lower case/],
    [`docker-archive:/x:a@sha256:${"0".repeat(64)}`, "ANYPROC_REFERENCE_INVALID", /give a tag/],
    ["docker-archive:/dev/null/x", "ANYPROC_TARGET_UNWRITABLE", /null/],
    ["oci:/dev/null/x", "ANYPROC_TARGET_UNWRITABLE", /null/],
  ])("%s", async (target, code, message) => {
    const { directory, rootfs } = await makeRootfs();
    await expect(saveImage(target, { rootfs }, { cacheDirectory: join(directory, "cache") })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test("a file that is there already, which stays as it is", async () => {
    const directory = temporaryDirectory();
    const file = join(directory, "archive.tar");
    writeFileSync(file, "mine");
    await expect(saveImage(`oci-archive:${file}`, { rootfs: directory })).rejects.toMatchObject({
      code: "ANYPROC_TARGET_EXISTS",
    });
    expect(listFiles(directory)).toEqual({ "archive.tar": "mine" });
  });

  test("more than one image in an archive of docker's", async () => {
    const directory = temporaryDirectory();
    const images = [{ rootfs: directory }, { rootfs: directory }];
    await expect(saveImage(`docker-archive:${join(directory, "x")}`, images)).rejects.toMatchObject({
      code: "ANYPROC_INVALID_OPTION",
    });
  });
});
