import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A directory that is gone after the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "anyproc-host-"));
  onTestFinished(async () => {
    // A directory without permissions keeps its own owner from removing what is in it.
    spawnSync("chmod", ["-R", "u+rwX", directory]);
    await rm(directory, { recursive: true, force: true });
  });
  return directory;
}
