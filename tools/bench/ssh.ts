import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectSsh, type SshEnvironment } from "@anyproc/ssh";
import type { Client } from "ssh2";
import SftpClient from "ssh2-sftp-client";
import { type SshServer, startSshServer } from "../services/ssh.ts";
import type { Comparison } from "./report.ts";
import { interleave, type Side, timeMs } from "./rounds.ts";

// A tree of many small files: 50 directories with 100 files of 4 KiB.
const directories = 50;
const filesInEach = 100;
const fileBytes = 4096;
const streamBytes = 1024 ** 3;

/** Both sides of every comparison, on one server. */
interface Setting {
  readonly server: SshServer;
  readonly box: SshEnvironment;
  /** ssh(1) as a client of its own, and over the one connection of a ControlMaster. */
  readonly ssh: readonly string[];
  readonly sharedSsh: readonly string[];
  readonly directory: string;
}

/** Another machine, by way of an OpenSSH server on this one, against OpenSSH's own client, rsync and ssh2-sftp-client. */
export async function* benchSsh(rounds: number, base: string): AsyncGenerator<Comparison> {
  const server = await startSshServer();
  const directory = mkdtempSync(join(base, "anyproc-bench-ssh-"));
  execFileSync("chmod", ["777", directory]);
  const target = `${server.user}@${server.host}`;
  const options = [
    "-F",
    "none",
    "-i",
    server.privateKey,
    "-o",
    `UserKnownHostsFile=${server.knownHosts}`,
    "-p",
    `${server.port}`,
  ];
  const control = join(server.directory, "control");
  const box = await connectSsh({
    host: server.host,
    port: server.port,
    user: server.user,
    knownHosts: server.knownHosts,
    config: false,
    auth: { privateKeys: [{ path: server.privateKey }] },
  });
  const master = spawn("ssh", [...options, "-M", "-S", control, "-N", target], { stdio: "ignore" });
  try {
    const sharedSsh = ["ssh", ...options, "-S", control, target];
    await untilConnected(sharedSsh);
    const setting = { server, box, ssh: ["ssh", ...options, target], sharedSsh, directory };
    yield* benchCommands(setting, rounds);
    yield* benchTrees(setting, rounds);
    yield* benchStream(setting, rounds);
  } finally {
    master.kill();
    await box.close();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function* benchCommands({ box, sharedSsh }: Setting, rounds: number): AsyncGenerator<Comparison> {
  const commands = 20;
  // By its path it is a program for both; the name alone is built into the shell that ssh(1) hands it to.
  const program = "/bin/true";
  const ours = async (): Promise<void> => {
    const process = await box.spawn({ argv: [program], stdin: "null" });
    await process.wait();
  };
  const theirs = (): Promise<void> => run([...sharedSsh, program]);
  const oneByOne = (one: () => Promise<void>): Side => {
    return async () => {
      const total = await timeMs(async () => {
        for (let index = 0; index < commands; index += 1) await one();
      });
      return total / commands;
    };
  };
  yield {
    title: "a command on an open connection, one by one",
    unit: "ms",
    ours: "anyproc",
    times: await interleave({ anyproc: oneByOne(ours), ControlMaster: oneByOne(theirs) }, rounds),
    targets: [{ than: "ControlMaster", timesFaster: 2 }],
  };
  const atOnce =
    (one: () => Promise<void>): Side =>
    () =>
      timeMs(() => Promise.all(Array.from({ length: 32 }, one)));
  yield {
    title: "32 commands at once on an open connection",
    unit: "ms",
    ours: "anyproc",
    times: await interleave({ anyproc: atOnce(ours), ControlMaster: atOnce(theirs) }, rounds),
    targets: [{ than: "ControlMaster", timesFaster: 3 }],
  };
}

async function* benchTrees({ server, box, ssh, directory }: Setting, rounds: number): AsyncGenerator<Comparison> {
  const source = join(directory, "source");
  makeTree(source);
  const sftp = new SftpClient();
  const { host, port, user: username } = server;
  await sftp.connect({ host, port, username, privateKey: readFileSync(server.privateKey) });
  // Left alone it waits for Nagle's algorithm at every file, and takes thirty times as long.
  (sftp as unknown as { client: Client }).client.setNoDelay(true);
  let count = 0;
  /** Copies to a place where nothing is yet, which is removed when the clock has stopped. */
  const intoNothing = (copy: (target: string) => Promise<unknown>): Side => {
    return async () => {
      count += 1;
      const target = join(directory, `target-${count}`);
      const time = await timeMs(() => copy(target));
      rmSync(target, { recursive: true });
      return time;
    };
  };
  try {
    yield {
      title: `${directories * filesInEach} files of ${fileBytes} bytes to another machine (anyproc and uploadDir: open connection)`,
      unit: "ms",
      ours: "anyproc",
      times: await interleave(
        {
          anyproc: intoNothing((target) => box.rootfs(target).upload(source)),
          "tar | ssh tar": intoNothing((target) =>
            run(["sh", "-c", `tar -C "$1" -c . | ${shellWords(ssh)} "mkdir $2 && tar -C $2 -x"`, "sh", source, target]),
          ),
          uploadDir: intoNothing((target) => sftp.uploadDir(source, target)),
        },
        rounds,
      ),
      targets: [
        { than: "tar | ssh tar", atMost: 1.15 },
        { than: "uploadDir", timesFaster: 2.5 },
      ],
    };
  } finally {
    await sftp.end();
  }

  const synced = join(directory, "synced");
  await box.rootfs(synced).upload(source);
  const shell = shellWords(ssh.slice(0, -1));
  yield {
    title: "the same files, when all of them are there already (anyproc: open connection)",
    unit: "ms",
    ours: "anyproc",
    times: await interleave(
      {
        anyproc: () => timeMs(() => box.rootfs(synced).upload(source)),
        rsync: () => timeMs(() => run(["rsync", "-a", "-e", shell, `${source}/`, `${ssh.at(-1)}:${synced}/`])),
      },
      rounds,
    ),
    targets: [{ than: "rsync", timesFaster: 1 }],
  };
}

async function* benchStream({ box, ssh }: Setting, rounds: number): AsyncGenerator<Comparison> {
  const argv = ["head", "-c", String(streamBytes), "/dev/zero"] as const;
  yield {
    title: "1 GiB of stdout",
    unit: "ms",
    ours: "anyproc",
    times: await interleave(
      {
        anyproc: () =>
          timeMs(async () => {
            const process = await box.spawn({ argv, stdin: "null" });
            let bytes = 0;
            process.stdout.on("data", (chunk: Buffer) => {
              bytes += chunk.length;
            });
            await process.wait();
            if (bytes !== streamBytes) throw new Error(`${bytes} of ${streamBytes} bytes arrived`);
          }),
        ssh: () => timeMs(() => run([...ssh, ...argv])),
      },
      rounds,
    ),
    // 0.7 of its throughput.
    targets: [{ than: "ssh", atMost: 1 / 0.7 }],
  };
}

/** Runs a program of this machine to its end, and reads what it says. */
async function run([file = "", ...args]: readonly string[]): Promise<void> {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "ignore"] });
  child.stdout.resume();
  const [code] = (await once(child, "close")) as [number];
  if (code !== 0) throw new Error(`${file} ${args.join(" ")}: exited with ${code}`);
}

async function untilConnected(sharedSsh: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await run([...sharedSsh.slice(0, -1), "-O", "check", sharedSsh.at(-1) ?? ""]);
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function makeTree(root: string): void {
  for (let directory = 0; directory < directories; directory += 1) {
    mkdirSync(join(root, `directory-${directory}`), { recursive: true });
    for (let file = 0; file < filesInEach; file += 1) {
      writeFileSync(join(root, `directory-${directory}/file-${file}`), Buffer.alloc(fileBytes, file));
    }
  }
}

function shellWords(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}
