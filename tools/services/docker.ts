import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** A private Docker daemon, or podman behind the same API. */
export interface DockerServer extends AsyncDisposable {
  /** As in DOCKER_HOST. */
  readonly host: `unix://${string}`;
  readonly socket: string;
  /** An image with a POSIX shell and the usual tools. */
  readonly image: string;
  /** The server's own files; tests may put theirs here. */
  readonly directory: string;
  /** What the daemon has logged so far. */
  log(): string;
  /** Runs a program in the server's network, where published ports and container addresses can be reached. */
  inNetwork(argv: readonly [string, ...string[]]): Promise<{ stdout: string; stderr: string }>;
  /** Lets the server's loopback reach a port of this machine's, under the same number: a registry, for instance. */
  bringIn(port: number): Promise<void>;
  /** Lets this machine reach a port of the server's loopback. Gives the port to use here. */
  bringOut(port: number): Promise<number>;
  /** Kills the daemon alone, as a crash would; containers go on. */
  kill(): Promise<void>;
  /** Starts it again on what it left. */
  restart(): Promise<void>;
  /** Ends daemon and containers. */
  stop(): Promise<void>;
}

export interface DockerServerOptions {
  /** @default "docker" */
  readonly engine?: "docker" | "podman";
  /** How much the images and containers may take, in tmpfs(5)'s terms. @default "2g" */
  readonly size?: string;
  /** More of dockerd's options. */
  readonly arguments?: readonly string[];
}

const busybox = "/bin/busybox";
const shell = "/bin/dash";
const programs = {
  docker: { daemon: "/usr/sbin/dockerd", packages: "docker.io iptables" },
  podman: { daemon: "/usr/bin/podman", packages: "podman" },
};
const image = "anyproc-test:latest";
// podman(1) takes no option for it: all that run on this machine share it.
const podmanCgroup = "libpod_parent";

/**
 * Why tests with a server are left out on this machine; undefined when they run. With CI set a server that is not
 * installed is no reason, so that the tests fail and say so.
 */
export function dockerServerMissing(engine: "docker" | "podman" = "docker"): string | undefined {
  if (process.platform !== "linux") return "a private server needs Linux";
  if (process.getuid?.() !== 0) return "a private server needs root, for namespaces and mounts";
  const { daemon, packages } = programs[engine];
  const absent = [daemon, busybox].filter((file) => !existsSync(file));
  if (absent.length === 0 || process.env["CI"]) return undefined;
  return `${absent.join(" and ")} missing: apt-get install ${packages} busybox-static`;
}

/**
 * Starts a server and waits until it answers and has its image.
 *
 * It lives in namespaces of its own: processes, mounts and network are the kernel's to take back with the namespaces'
 * first process, which ends with us, however we end.
 */
export async function startDockerServer(options: DockerServerOptions = {}): Promise<DockerServer> {
  const { engine = "docker", size = "2g" } = options;
  const missing = dockerServerMissing(engine);
  if (missing) throw new Error(missing);
  const directory = await mkdtemp(join(tmpdir(), "anyproc-docker-"));
  const socket = join(directory, "socket");
  const cgroup = `anyproc-${process.pid}-${directory.slice(-6)}`;
  await writeFile(join(directory, "daemon.json"), "{}");
  await writeFile(join(directory, "containers.conf"), containersConf);

  const { anchor, init } = await openNamespaces(directory, size);
  const enterNetwork = ["nsenter", `--target=${init}`, "--net"];
  const relays: Relay[] = [];
  const enter = ["nsenter", `--target=${init}`, "--pid", "--mount", "--net"];
  const [file, ...rest] = [...enter, "setpriv", "--pdeathsig", "KILL", ...daemonArguments(options, directory, cgroup)];
  let log = "";
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const started = spawn(file as string, rest, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, CONTAINERS_CONF: join(directory, "containers.conf") },
    });
    child = started;
    for (const stream of [started.stdout, started.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        log += chunk;
      });
    }
    await untilReady(socket, started, () => log);
  }
  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    // Its own end follows that of the process which entered the namespaces for it.
    while (await connects(socket)) await delay(10);
    await rm(join(directory, "pid"), { force: true });
  }
  async function stop(): Promise<void> {
    const gone = anchor.exitCode === null && anchor.signalCode === null ? once(anchor, "exit") : undefined;
    const cgroups = engine === "podman" ? await podmanCgroups(init) : [cgroup];
    for (const { child: relaying } of relays) relaying.kill("SIGKILL");
    anchor.kill("SIGKILL");
    await gone;
    while (existsSync(`/proc/${init}`)) await delay(10);
    await removeCgroups(cgroups);
    await rm(directory, { recursive: true, force: true });
  }

  try {
    await start();
    await importImage(socket, directory);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host: `unix://${socket}`,
    socket,
    image,
    directory,
    log: () => log,
    inNetwork: ([program, ...args]) =>
      promisify(execFile)("nsenter", [...enterNetwork.slice(1), program, ...args], { timeout: 90_000 }),
    bringIn: async (port) => {
      const path = join(directory, `in-${port}`);
      relays.push(await relay([], path, port), await relay(enterNetwork, port, path));
    },
    bringOut: async (port) => {
      const path = join(directory, `out-${port}`);
      const outside = relay([], 0, path);
      relays.push(await relay(enterNetwork, path, port), await outside);
      return (await outside).port;
    },
    kill,
    restart: start,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

// The cgroups of a machine without systemd, and limits that root without CAP_SYS_RESOURCE may set.
const containersConf = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
cgroupns = "host"
[engine]
init_path = "/usr/bin/docker-init"
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`;

function daemonArguments(options: DockerServerOptions, directory: string, cgroup: string): string[] {
  const { engine = "docker", arguments: more = [] } = options;
  const socket = `unix://${join(directory, "socket")}`;
  // /run is the server's own, and as small as its data.
  if (engine === "podman") {
    const storage = ["--root=/run/podman-root", "--runroot=/run/podman-run", "--tmpdir=/run/podman-tmp"];
    return [programs.podman.daemon, ...storage, "--network-config-dir=/run/podman-net", ...more].concat([
      "system",
      "service",
      "--time=0",
      socket,
    ]);
  }
  return [
    programs.docker.daemon,
    "--data-root=/run/docker-root",
    "--exec-root=/run/docker",
    `--host=${socket}`,
    `--pidfile=${join(directory, "pid")}`,
    `--config-file=${join(directory, "daemon.json")}`,
    `--cgroup-parent=/${cgroup}`,
    "--ip6tables=false",
    ...more,
  ];
}

/** Makes the namespaces; `init` is their first process, by the id that it has out here. */
async function openNamespaces(directory: string, size: string): Promise<{ anchor: ChildProcess; init: number }> {
  const script = `mount -t tmpfs -o size=${size} tmpfs /run && ip link set lo up && echo ready &&
    exec docker-init -- sleep infinity`;
  const unshare = ["unshare", "--fork", "--pid", "--mount", "--net", "--kill-child=KILL", "--mount-proc"];
  const anchor = spawn("setpriv", ["--pdeathsig", "KILL", ...unshare, "sh", "-c", script], {
    cwd: directory,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = await Promise.race([once(anchor.stdout, "data"), once(anchor, "exit")]);
  if (!String(said).startsWith("ready")) throw new Error("no namespaces for a private Docker server: see above");
  const children = readFileSync(`/proc/${anchor.pid}/task/${anchor.pid}/children`, "utf8");
  return { anchor, init: Number(children) };
}

/** A small image, of this machine's own busybox and shell. */
async function importImage(socket: string, directory: string): Promise<void> {
  const rootfs = join(directory, "rootfs");
  const applets = execFileSync(busybox, ["--list-full"], { encoding: "utf8" }).trim().split("\n");
  const directories = ["bin", "dev", "etc", "home", "proc", "root", "sbin", "sys", "tmp", "usr/bin", "usr/sbin", "var"];
  execFileSync("mkdir", ["-p", ...directories.map((name) => join(rootfs, name))]);
  execFileSync("chmod", ["1777", join(rootfs, "tmp")]);
  execFileSync("cp", [busybox, join(rootfs, "bin/busybox")]);
  await writeFile(join(rootfs, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home:/bin/sh\n");
  await writeFile(join(rootfs, "etc/group"), "root:x:0:\nalice:x:1000:\n");
  // busybox's shell would run its own programs, whatever PATH says: dash, with the libraries that it needs.
  const libraries = execFileSync("ldd", [shell], { encoding: "utf8" }).match(/\/\S+/g) ?? [];
  for (const file of [shell, ...libraries]) execFileSync("cp", ["--dereference", "--parents", file, rootfs]);
  await symlink(shell, join(rootfs, "bin/sh"));
  for (const applet of applets) {
    if (applet !== "bin/busybox") await symlink("/bin/busybox", join(rootfs, applet)).catch(() => {});
  }
  const tar = spawn("tar", ["-C", rootfs, "--numeric-owner", "-cf", "-", "."], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [repo, tag] = image.split(":");
  const answer = await post(socket, `/images/create?fromSrc=-&repo=${repo}&tag=${tag}`, tar.stdout);
  await rm(rootfs, { recursive: true });
  if (!answer.includes("sha256:")) throw new Error(`the test image was not imported: ${answer}`);
}

function post(socketPath: string, path: string, body: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, method: "POST" }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk;
      });
      response.once("end", () => resolve(text));
    });
    sent.once("error", reject);
    body.pipe(sent);
  });
}

/** Resolves when the daemon answers. */
async function untilReady(socketPath: string, child: ChildProcess, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 1200; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`the daemon ended at once:\n${log()}`);
    const status = await new Promise<number | undefined>((resolve) => {
      const ping = request({ socketPath, path: "/_ping" }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      ping.once("error", () => resolve(undefined));
      ping.end();
    });
    if (status === 200) return;
    await delay(25);
  }
  throw new Error(`the daemon does not answer:\n${log()}`);
}

function connects(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

const relayProgram = fileURLToPath(new URL("relay.mjs", import.meta.url));

/** Passes on what comes to a port or a unix socket. Resolves when it listens, with the port. */
async function relay(enter: readonly string[], from: number | string, to: number | string): Promise<Relay> {
  const argv = [...enter, "setpriv", "--pdeathsig", "KILL", process.execPath, relayProgram, String(from), String(to)];
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = await once(child.stdout, "data");
  return { child, port: Number(port) };
}

interface Relay {
  readonly child: ChildProcess;
  readonly port: number;
}

/** The cgroups of the containers that a podman server has. Those of other servers are beside them. */
async function podmanCgroups(init: number): Promise<string[]> {
  const storage = `/proc/${init}/root/run/podman-root`;
  const entries = await readdir(storage).catch(() => []);
  const directories = entries.filter((name) => name.endsWith("-containers"));
  const containers = await Promise.all(directories.map((name) => readdir(join(storage, name))));
  return containers.flat().map((id) => join(podmanCgroup, `libpod-${id}`));
}

/** What containers that were killed with their namespace leave in the machine's cgroups: empty directories. */
async function removeCgroups(cgroups: readonly string[]): Promise<void> {
  const hierarchies = await readdir("/sys/fs/cgroup");
  for (const hierarchy of ["", ...hierarchies]) {
    for (const name of cgroups) await removeEmpty(join("/sys/fs/cgroup", hierarchy, name));
  }
}

async function removeEmpty(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeEmpty(join(directory, entry.name));
  await rmdir(directory).catch(() => {});
}
