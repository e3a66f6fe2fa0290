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

/** Of files that one side has only the start of, those whose start is the same on both: so many bytes of each. */
export async function findSameStarts(
  remote: RemoteDirectory,
  remoteRoot: string,
  localRoot: string,
  lengths: ReadonlyMap<string, number>,
): Promise<Set<string>> {
  const remoteSums = await remoteStartChecksums(remote, remoteRoot, lengths);
  const same = new Set<string>();
  await forEachParallel(remoteSums, filesInFlight, async ([path, remoteSum]) => {
    const end = (lengths.get(path) ?? 0) - 1;
    if ((await digest(createReadStream(join(localRoot, path), { end }))) === remoteSum) same.add(path);
  });
  return same;
}

/** Empty where the server cannot tell: to fetch the files for it would take as long as to begin again. */
async function remoteStartChecksums(
  remote: RemoteDirectory,
  root: string,
  lengths: ReadonlyMap<string, number>,
): Promise<Map<string, string>> {
  if (lengths.size === 0) return new Map();
  const script = 'cd "$1" && shift && while [ $# -gt 0 ]; do head -c "$1" "$2" | sha256sum || exit; shift 2; done';
  const files = [...lengths].flatMap(([path, length]) => [String(length), `./${path}`]);
  try {
    const { stdout } = await exec(remote.environment, { argv: ["sh", "-c", script, "sh", root, ...files], cwd: "/" });
    const sums = stdout.split("\n").map((line) => line.slice(0, 64));
    return new Map([...lengths.keys()].map((path, index) => [path, sums[index] ?? ""]));
  } catch (error) {
    if (!isWithoutTool(error)) throw error;
    return new Map();
  }
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
    // Without -z, for instance: the files come here to be read.
    if (!isWithoutTool(error)) throw error;
    await forEachParallel(paths, filesInFlight, async (path) => {
      sums.set(path, await digest(remoteChunks(remote.sftp, `${remote.path}/${path}`)));
    });
  }
  return sums;
}

/** The server runs no commands, or not this one. */
function isWithoutTool(error: unknown): boolean {
  return ["ANYPROC_EXIT", "ANYPROC_START_FAILED", "ANYPROC_SESSION_REFUSED"].includes(systemErrorCode(error) ?? "");
}

async function digest(chunks: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}
