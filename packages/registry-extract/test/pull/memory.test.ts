import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import zlib from "node:zlib";
import { expect, test } from "vitest";
import type { ImageLimits } from "../../src/layers/limits.ts";
import { makeImage, writeLayout } from "../fixtures/image.ts";
import { hasProgram } from "../fixtures/programs.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";

const hasZstd = hasProgram("zstd");
const program = join(import.meta.dirname, "../fixtures/measure-pull.js");

function pull(
  directories: number,
  window: string,
  limits: ImageLimits = {},
): { readonly outcome: string; readonly megabytes: number } {
  const directory = temporaryDirectory();
  const entries = Array.from({ length: directories }, (_, index) => ({
    path: `usr/lib/node_modules/some-package-${index % 1000}/dist/types/internal/components/directory-${index}/`,
    uid: index % 100,
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
test.skipIf(!hasZstd)("an image of too many directories is refused, in less than 200 MB", { timeout: 60_000 }, () => {
  const { outcome, megabytes } = pull(300_000, "--long=25");
  expect(outcome).toBe("ANYPROC_IMAGE_LIMIT");
  expect(megabytes).toBeLessThan(200);
});

// The decoder for Node.js before 22.15 has no such limit.
test.skipIf(!hasZstd || !("createZstdDecompress" in zlib))("so is one that takes more to decompress", () => {
  expect(pull(70_000, "--long=26").outcome).toBe("ANYPROC_IMAGE_LIMIT");
});

test.skipIf(!hasZstd)("both are unpacked where more memory is allowed", { timeout: 60_000 }, () => {
  expect(pull(300_000, "--long=26", { maxMemoryBytes: 400e6 }).outcome).toBe("pulled");
});
