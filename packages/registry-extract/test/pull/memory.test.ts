import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import zlib from "node:zlib";
import { expect, test } from "vitest";
import type { ImageLimits } from "../../src/layers/limits.ts";
import type { EntryInput } from "../fixtures/archive.ts";
import { makeImage, writeLayout } from "../fixtures/image.ts";
import { hasProgram } from "../fixtures/programs.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";

const hasZstd = hasProgram("zstd");
const program = join(import.meta.dirname, "../fixtures/measure-pull.js");

// No more can be put into a name of an entry, with the host's directory before it.
const pathBytes = 3900;

/** Pulls an image of directories that take much memory to remember, and more than 32 MiB to decompress. */
function pull(
  directories: number,
  window: string,
  limits: ImageLimits = {},
): { readonly outcome: string; readonly message: string; readonly megabytes: number } {
  const directory = temporaryDirectory();
  const entries: EntryInput[] = Array.from({ length: directories }, (_, index) => ({
    path: `${index}/`.padEnd(pathBytes, "some-name/"),
    type: "directory",
  }));
  const compress = (layer: Buffer): Buffer =>
    execFileSync("zstd", ["-q", "-c", "-1", window], { input: layer, maxBuffer: 2 ** 30 });
  writeLayout(directory, { latest: makeImage([entries], { compress }) });
  // Directories that are not wanted are remembered like all others, and need not be made and removed.
  const options = { cacheDirectory: join(directory, "cache"), include: ["nothing"], ...limits };
  const result = spawnSync(
    process.execPath,
    [program, `oci:${directory}`, join(directory, "target"), JSON.stringify(options)],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  return JSON.parse(result.stdout);
}

// More than can be remembered, from what takes most to decompress: nothing that is accepted takes more.
test.skipIf(!hasZstd)("an image of too many directories is refused, in less than 200 MB", () => {
  const { outcome, message, megabytes } = pull(9000, "--long=25");
  expect(outcome).toBe("ANYPROC_IMAGE_LIMIT");
  expect(message).toContain("more directories");
  expect(megabytes).toBeLessThan(200);
});

// The decoder for Node.js before 22.15 has no such limit.
test.skipIf(!hasZstd || !("createZstdDecompress" in zlib))("so is one that takes more to decompress", () => {
  const { outcome, message } = pull(7500, "--long=26");
  expect(outcome).toBe("ANYPROC_IMAGE_LIMIT");
  expect(message).toContain("more than 32 MiB of memory to decompress");
});

test.skipIf(!hasZstd)("both are unpacked where more memory is allowed", () => {
  expect(pull(9000, "--long=26", { maxMemoryBytes: 400e6 }).outcome).toBe("pulled");
});
