import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pullImage } from "../../src/index.ts";
import { fullLayers } from "../fixtures/full-image.ts";
import { makeImage, writeLayout } from "../fixtures/image.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";
import { describeTree } from "../fixtures/tree.ts";

const isRoot = process.geteuid?.() === 0;
const hasUmoci = spawnSync("umoci", ["--version"]).status === 0;
const hasSkopeo = spawnSync("skopeo", ["--version"]).status === 0;

describe.skipIf(!isRoot || !hasUmoci)("an image with everything is what umoci makes of it", () => {
  test.each(["oci", ...(hasSkopeo ? ["v2s2"] : [])])("%s", async (format) => {
    const directory = temporaryDirectory();
    const layout = join(directory, "layout");
    writeLayout(layout, { full: makeImage(fullLayers) });
    const source = format === "oci" ? layout : join(directory, "docker.tar");
    if (format !== "oci") {
      execFileSync("skopeo", ["copy", "-q", `oci:${layout}:full`, `docker-archive:${source}:full:1`], {
        stdio: "pipe",
      });
    }
    const theirs = join(directory, "umoci");
    execFileSync("umoci", ["raw", "unpack", "--image", `${layout}:full`, theirs], { stdio: "pipe" });
    const ours = join(directory, "ours");
    await pullImage(source, ours, { cacheDirectory: join(directory, "cache") });
    expect(describeTree(ours).map(comparable)).toEqual(describeTree(theirs).map(comparable));
  });
});

/** umoci leaves the time of unpacking on directories that have no entry of their own; we give them an entry's. */
function comparable(line: string): string {
  return /^long(\/n+)? /.test(line) ? line.replace(/mtime \d+ /, "") : line;
}
