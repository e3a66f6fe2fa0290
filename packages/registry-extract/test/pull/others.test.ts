import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dockerServerMissing, startDockerServer } from "../../../../tools/services/docker.ts";
import { pullImage } from "../../src/index.ts";
import { fullLayers } from "../fixtures/full-image.ts";
import { makeImage, writeLayout } from "../fixtures/image.ts";
import { hasProgram } from "../fixtures/programs.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";
import { describeTree } from "../fixtures/tree.ts";

const isRoot = process.geteuid?.() === 0;
const hasUmoci = hasProgram("umoci");
const hasSkopeo = hasProgram("skopeo");

/** The image as a layout and as an archive of docker's, and what we make of one of them. */
async function unpack(directory: string, format: "oci" | "v2s2") {
  const layout = join(directory, "layout");
  const archive = join(directory, "docker.tar");
  writeLayout(layout, { full: makeImage(fullLayers) });
  if (hasSkopeo) execFileSync("skopeo", ["copy", "-q", `oci:${layout}:full`, `docker-archive:${archive}:full:1`]);
  const ours = join(directory, "ours");
  await pullImage(format === "oci" ? layout : archive, ours, { cacheDirectory: join(directory, "cache") });
  return { layout, archive, ours };
}

describe.skipIf(!isRoot || !hasUmoci)("an image with everything is what umoci makes of it", () => {
  test.each(["oci" as const, ...(hasSkopeo ? ["v2s2" as const] : [])])("%s", async (format) => {
    const directory = temporaryDirectory();
    const { layout, ours } = await unpack(directory, format);
    const theirs = join(directory, "umoci");
    execFileSync("umoci", ["raw", "unpack", "--image", `${layout}:full`, theirs], { stdio: "pipe" });
    expect(describeTree(ours).map(comparable)).toEqual(describeTree(theirs).map(comparable));
  });

  /** umoci leaves the time of unpacking on directories that have no entry of their own; we give them an entry's. */
  function comparable(line: string): string {
    return /^long(\/n+)? /.test(line) ? line.replace(/mtime \d+ /, "") : line;
  }
});

describe.skipIf(!isRoot || !hasSkopeo || dockerServerMissing() !== undefined)("and what docker makes of it", () => {
  test("by load, create and export", async () => {
    const directory = temporaryDirectory();
    const { archive, ours } = await unpack(directory, "v2s2");
    const theirs = join(directory, "docker");
    mkdirSync(theirs);
    await exportContainer(archive, theirs);
    const fromDocker = describeTree(theirs).filter((line) => !isOfContainer(line));
    expect(fromDocker.map(comparable)).toEqual(describeTree(ours).map(comparable));
  });

  async function exportContainer(archive: string, target: string): Promise<void> {
    const server = await startDockerServer();
    try {
      const docker = (...args: string[]) => execFileSync("docker", ["-H", server.host, ...args], { stdio: "pipe" });
      docker("load", "-q", "-i", archive);
      docker("create", "--name", "full", "full:1", "/none");
      docker("export", "-o", join(target, "../export.tar"), "full");
    } finally {
      await server.stop();
    }
    const xattrs = ["--xattrs", "--xattrs-include=*"];
    execFileSync("tar", ["-x", ...xattrs, "-C", target, "-f", join(target, "../export.tar")]);
  }

  /** Docker puts into a container what is mounted on when it runs. */
  function isOfContainer(line: string): boolean {
    return /^(?:\.dockerenv|dev\/(?:console|pts|shm)|etc|etc\/(?:hostname|hosts|mtab|resolv\.conf)|proc|sys) /.test(
      line,
    );
  }

  /** Docker's exports have whole seconds and one attribute; directories that it puts something into are as new as that. */
  function comparable(line: string): string {
    const withoutXattrs = line.replaceAll(/ user\.\w+=\S+/g, "");
    return /^(?:\.|dev|long(?:\/n+)?) /.test(line)
      ? withoutXattrs.replace(/mtime \d+ /, "")
      : withoutXattrs.replace(/(mtime \d+)\d{9} /, "$1 ");
  }
});
