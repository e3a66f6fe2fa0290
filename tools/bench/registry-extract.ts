import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { inspectImage, pullImage, pushImage } from "@anyproc/registry-extract";
import { registryMissing, startRegistry } from "../services/registry.ts";
import type { Comparison } from "./report.ts";
import { interleave, type Side, timeMs } from "./rounds.ts";

const execute = promisify(execFile);
// statfs(2).
const fileSystems: Readonly<Record<number, string>> = { 61267: "ext4", 16914836: "tmpfs", 2435016766: "btrfs" };
const pullOnce = fileURLToPath(new URL("pull-once.mjs", import.meta.url));

/** A Debian image of 200 MB in a registry on loopback. */
interface Image {
  readonly reference: string;
  /** Address of its only layer. */
  readonly layer: string;
}

/** A docker daemon of our own. */
interface Daemon {
  docker(...args: string[]): Promise<unknown>;
  stop(): Promise<void>;
}

/** Pulling an image of Debian, against the programs that people use for it, into each kind of file system there is. */
export async function* benchRegistryExtract(rounds: number, directory: string): AsyncGenerator<Comparison> {
  const missing = registryMissing() ?? programMissing("/usr/sbin/debootstrap", "debootstrap");
  if (missing) throw new Error(missing);
  const shared = await mkdtemp(join(directory, "anyproc-bench-"));
  const server = await startRegistry();
  try {
    const rootfs = join(shared, "debian");
    execFileSync("debootstrap", ["--variant=minbase", "bookworm", rootfs], { stdio: "ignore" });
    const images = {
      gzip: await push(server.host, rootfs, "gzip", shared),
      zstd: await push(server.host, rootfs, "zstd", shared),
    };
    for (const [fileSystem, place] of await places(directory)) {
      const work = await mkdtemp(join(place, "anyproc-bench-"));
      try {
        yield* benchPlace(rounds, fileSystem, work, images);
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    }
  } finally {
    await server.stop();
    await rm(shared, { recursive: true, force: true });
  }
}

/** A directory in each kind of file system. */
async function places(directory: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const place of [directory, "/dev/shm", "/var/tmp"]) {
    const { type } = await statfs(place);
    const name = fileSystems[type] ?? `file system ${type.toString(16)}`;
    if (!found.has(name)) found.set(name, place);
  }
  return found;
}

async function* benchPlace(
  rounds: number,
  fileSystem: string,
  work: string,
  { gzip, zstd }: Readonly<Record<"gzip" | "zstd", Image>>,
): AsyncGenerator<Comparison> {
  const daemon = existsSync("/usr/sbin/dockerd") ? await startDaemon(work) : undefined;
  try {
    yield {
      title: `pull and unpack Debian, gzip, ${fileSystem}`,
      unit: "ms",
      ours: "anyproc",
      times: await interleave(
        {
          anyproc: wholeProcess(gzip, work),
          "pullImage()": ours(gzip, work),
          "curl|gzip|tar": pipeline(gzip, "gzip -dc", work),
          ...(daemon && { "docker pull": dockerPull(daemon, gzip) }),
          ...(hasProgram("umoci") && hasProgram("skopeo") && { "skopeo, umoci": skopeoUmoci(gzip, work) }),
        },
        rounds,
      ),
      targets: [{ than: "curl|gzip|tar", atMost: 1 }, ...(daemon ? [{ than: "docker pull", timesFaster: 2.5 }] : [])],
    };
  } finally {
    await daemon?.stop();
  }
  yield {
    title: `pull and unpack Debian, zstd, ${fileSystem}`,
    unit: "ms",
    ours: "anyproc",
    times: await interleave(
      {
        anyproc: wholeProcess(zstd, work),
        "pullImage()": ours(zstd, work),
        "curl|zstd|tar": pipeline(zstd, "zstd -dc", work),
      },
      rounds,
    ),
    targets: [{ than: "curl|zstd|tar", atMost: 1.5 }],
  };
  yield {
    title: `pull Debian again as layers that are unpacked already, ${fileSystem}`,
    unit: "ms",
    ours: "anyproc",
    times: await interleave({ anyproc: stackedAgain(gzip, work), allowed: async () => 100 }, rounds),
    targets: [{ than: "allowed", atMost: 1 }],
  };
  for (const [title, unit, field, allowed] of [
    ["most memory while pulling Debian", "MB", "memoryMb", 200],
    ["longest time that the event loop stands still", "ms", "blockedMs", 20],
  ] as const) {
    yield {
      title: `${title}, ${fileSystem}`,
      unit,
      ours: "anyproc",
      times: await interleave(
        {
          anyproc: measured(gzip, work, field),
          "anyproc, zstd": measured(zstd, work, field),
          allowed: async () => allowed,
        },
        rounds,
      ),
      targets: [{ than: "allowed", atMost: 1 }],
    };
  }
}

async function push(host: string, rootfs: string, compression: "gzip" | "zstd", work: string): Promise<Image> {
  const reference = `${host}/debian:${compression}`;
  const cacheDirectory = join(work, "push");
  await pushImage(reference, { rootfs, compression }, { cacheDirectory });
  const { manifest } = await inspectImage(reference, { cacheDirectory });
  return { reference, layer: `http://${host}/v2/debian/blobs/${manifest.layers[0]?.digest}` };
}

/** From the start of a process to its end, as the programs that it is compared with. */
function wholeProcess(image: Image, work: string): Side {
  return inEmptyDirectory(work, (directory) => timeMs(() => pullInProcess(image, directory)));
}

/** In a process that runs already. */
function ours({ reference }: Image, work: string): Side {
  return inEmptyDirectory(work, (directory) =>
    timeMs(() => pullImage(reference, join(directory, "rootfs"), { cacheDirectory: join(directory, "cache") })),
  );
}

function pipeline({ layer }: Image, decompress: string, work: string): Side {
  return inEmptyDirectory(work, (directory) =>
    timeMs(() => execute("sh", ["-c", `curl -sf ${layer} | ${decompress} | tar -x -C ${directory}`])),
  );
}

function skopeoUmoci({ reference }: Image, work: string): Side {
  return inEmptyDirectory(work, (directory) =>
    timeMs(async () => {
      const layout = join(directory, "layout");
      await execute("skopeo", ["copy", "-q", "--src-tls-verify=false", `docker://${reference}`, `oci:${layout}:image`]);
      await execute("umoci", ["raw", "unpack", "--image", `${layout}:image`, join(directory, "rootfs")]);
    }),
  );
}

function dockerPull(daemon: Daemon, { reference }: Image): Side {
  return async () => {
    const taken = await timeMs(() => daemon.docker("pull", "-q", reference));
    await daemon.docker("image", "rm", "-f", reference);
    return taken;
  };
}

function stackedAgain({ reference }: Image, work: string): Side {
  const cacheDirectory = join(work, "stacked");
  let count = 0;
  const pull = (): Promise<unknown> => {
    count += 1;
    return pullImage(reference, join(work, `stack-${count}`), { cacheDirectory, layers: "stacked" });
  };
  return async () => {
    if (count === 0) await pull();
    return timeMs(pull);
  };
}

function measured(image: Image, work: string, field: "memoryMb" | "blockedMs"): Side {
  return inEmptyDirectory(work, async (directory) => {
    const stdout = await pullInProcess(image, directory);
    return (JSON.parse(stdout) as Record<typeof field, number>)[field];
  });
}

async function pullInProcess({ reference }: Image, directory: string): Promise<string> {
  const args = [pullOnce, reference, join(directory, "rootfs"), join(directory, "cache")];
  const { stdout } = await execute(process.execPath, args);
  return stdout;
}

function inEmptyDirectory(work: string, measure: (directory: string) => Promise<number>): Side {
  return async () => {
    const directory = join(work, "round");
    await mkdir(directory);
    try {
      return await measure(directory);
    } finally {
      await rm(directory, { recursive: true });
    }
  };
}

async function startDaemon(work: string): Promise<Daemon> {
  const directory = join(work, "docker");
  await mkdir(directory);
  const config = join(directory, "config.json");
  await writeFile(config, "{}");
  const host = `unix://${join(directory, "socket")}`;
  // It ends with this process, however that ends.
  const child = spawn(
    "setpriv",
    [
      ...[
        "--pdeathsig",
        "TERM",
        "dockerd",
        "--data-root",
        join(directory, "data"),
        "--exec-root",
        join(directory, "exec"),
        "--host",
        host,
      ],
      ...["--pidfile", join(directory, "pid"), "--config-file", config, "--bridge=none", "--iptables=false"],
    ],
    { stdio: "ignore", detached: true },
  );
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const docker = (...args: string[]): Promise<unknown> => execute("docker", ["-H", host, ...args]);
  for (let attempt = 0; ; attempt += 1) {
    try {
      await docker("version");
      break;
    } catch (error) {
      if (attempt === 100 || child.exitCode !== null) throw error;
      await delay(100);
    }
  }
  return {
    docker,
    async stop() {
      child.kill("SIGTERM");
      await exited;
      spawnSync("umount", [join(directory, "exec/netns/default")]);
    },
  };
}

function hasProgram(name: string): boolean {
  return spawnSync(name, ["--version"]).error === undefined;
}

function programMissing(path: string, name: string): string | undefined {
  return existsSync(path) ? undefined : `${path} is missing: apt-get install ${name}`;
}
