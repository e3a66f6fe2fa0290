import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { exec, systemErrorCode } from "@anyproc/core";
import { remoteChunks } from "../files/remote-file.ts";
import { forEachParallel } from "../files/sftp-request.ts";
import type { RemoteDirectory } from "./remote-tree.ts";
import type { Tree } from "./tree.ts";

const filesInFlight = 8;

/** Which files of the same size have the same content, and which have not. */
export interface ContentComparison {
  readonly same: ReadonlySet<string>;
  readonly different: ReadonlySet<string>;
}

/** Reads, on both sides, all files whose sizes agree. */
export async function compareContent(
  remote: RemoteDirectory,
  localRoot: string,
  source: Tree,
  target: Tree,
): Promise<ContentComparison> {
  const paths = [...source.values()]
    .filter(({ path, type, size }) => {
      const other = target.get(path);
      return type === "file" && other?.type === "file" && other.size === size;
    })
    .map(({ path }) => path);
  const remoteSums = await remoteChecksums(remote, paths);
  const same = new Set<string>();
  const different = new Set<string>();
  await forEachParallel(paths, filesInFlight, async (path) => {
    const sum = await digest(createReadStream(join(localRoot, path)));
    (sum === remoteSums.get(path) ? same : different).add(path);
  });
  return { same, different };
}

async function remoteChecksums(remote: RemoteDirectory, paths: readonly string[]): Promise<Map<string, string>> {
  const sums = new Map<string, string>();
  if (paths.length === 0) return sums;
  try {
    const { stdout } = await exec(
      remote.environment,
      { argv: ["sh", "-c", 'cd "$1" && xargs -0 sha256sum -z --', "sh", remote.path], cwd: "/" },
      { input: paths.map((path) => `./${path}\0`).join(""), maxOutputBytes: 2 ** 31 },
    );
    for (const line of stdout.split("\0")) sums.set(line.slice(68), line.slice(0, 64));
  } catch (error) {
    // No shell, or no sha256sum with -z: the files come here to be read.
    if (!["ANYPROC_EXIT", "ANYPROC_START_FAILED", "ANYPROC_SESSION_REFUSED"].includes(systemErrorCode(error) ?? "")) {
      throw error;
    }
    await forEachParallel(paths, filesInFlight, async (path) => {
      sums.set(path, await digest(remoteChunks(remote.sftp, `${remote.path}/${path}`)));
    });
  }
  return sums;
}

async function digest(chunks: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}
