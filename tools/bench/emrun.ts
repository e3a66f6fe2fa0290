import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { open, run } from "@anyproc/emrun";
import * as efrun from "@anyproc/emrun/efrun";
import type { Comparison } from "./report.ts";
import { interleave, type Side, timeMs } from "./rounds.ts";

const program = "/bin/true";

/** Runs a file as run() does: nothing to read, all output kept. */
async function spawnFile(file: string): Promise<void> {
  const child = spawn(file, { stdio: ["ignore", "pipe", "pipe"] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, "close")) as [number];
  if (code !== 0) throw new Error(`${file}: exited with ${code}`);
}

async function writeAndSpawn(payload: Uint8Array, parent: string): Promise<void> {
  const directory = await mkdtemp(join(parent, "anyproc-bench-"));
  try {
    const file = join(directory, "payload");
    await writeFile(file, payload, { mode: 0o700 });
    await spawnFile(file);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Milliseconds a turn. */
function repeated(turns: number, work: () => Promise<unknown>): Side {
  return async () => {
    const total = await timeMs(async () => {
      for (let turn = 0; turn < turns; turn += 1) await work();
    });
    return total / turns;
  };
}

/** Milliseconds to copy bytes in memory and to hash them, one after the other. */
function copyAndHash(bytes: Buffer): Side {
  const copy = Buffer.alloc(bytes.length);
  return () =>
    timeMs(async () => {
      bytes.copy(copy);
      createHash("sha256").update(bytes).digest();
    });
}

/** Runs from memory and from temporary files, against node:child_process. */
export async function* benchEmrun(rounds: number, directory: string): AsyncGenerator<Comparison> {
  const common = { unit: "ms", ours: "emrun" };
  await using payload = await open(await readFile(program));
  yield {
    ...common,
    title: "run an open payload, against spawning the file on disk",
    times: await interleave(
      { emrun: repeated(100, () => run(payload)), child_process: repeated(100, () => spawnFile(program)) },
      rounds,
    ),
    targets: [{ than: "child_process", atMost: 1.1 }],
  };
  const megabyte = Buffer.concat([await readFile(program)], 1_000_000);
  yield {
    ...common,
    title: "open and run 1 MB, against writing a temporary file and spawning it",
    times: await interleave(
      {
        emrun: repeated(50, () => run(megabyte)),
        efrun: repeated(50, () => efrun.run(megabyte, [], { tempDirectory: directory })),
        child_process: repeated(50, () => writeAndSpawn(megabyte, directory)),
      },
      rounds,
    ),
    targets: [{ than: "child_process", atMost: 1 }],
  };
  const large = Buffer.alloc(100_000_000, "payload");
  yield {
    ...common,
    title: "open 100 MB, against copying it in memory and hashing it",
    times: await interleave(
      { emrun: () => timeMs(async () => (await open(large)).close()), "copy and hash": copyAndHash(large) },
      rounds,
    ),
    targets: [{ than: "copy and hash", atMost: 2 }],
  };
}
