import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** A private OpenSSH server on loopback, and an ordinary user who may enter it. */
export interface SshServer extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The user's home directory. */
  readonly home: string;
  /** Private key that lets the user in. */
  readonly privateKey: string;
  /** known_hosts file with the server's keys. */
  readonly knownHosts: string;
  /** The server's own files: host keys, configuration, log. */
  readonly directory: string;
  /** What sshd has logged so far. */
  log(): string;
  /** Kills every process that serves a connection, as a crash would; the server itself goes on. */
  dropConnections(): void;
  /** Stops every process that serves a connection, as if the network had gone. */
  freeze(): void;
  /** Kills the server and every connection. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with the same keys. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface SshServerOptions {
  /** Lines of sshd_config(5) that go before the usual ones; the first value counts. */
  readonly config?: readonly string[];
  /** Types of host key, as ssh-keygen(1) calls them. @default ["ed25519", "ecdsa"] */
  readonly hostKeys?: readonly string[];
  /** Login shell of the user. @default "/bin/sh" */
  readonly shell?: string;
}

/** Servers that differ from the usual one in what they allow. */
export const sshServerKinds = {
  twoSessions: { config: ["MaxSessions 2"] },
  oneSession: { config: ["MaxSessions 1"] },
  noVariables: { config: ["AcceptEnv none"] },
  filesOnly: { config: ["ForceCommand internal-sftp"] },
} as const satisfies Record<string, SshServerOptions>;

const sshd = "/usr/sbin/sshd";
const userPrefix = "anyproc-";

/**
 * Why tests with a server are left out on this machine; undefined when they run. With CI set a server that is not
 * installed is no reason, so that the tests fail and say so.
 */
export function sshServerMissing(): string | undefined {
  if (process.getuid?.() !== 0) {
    return "only root can make a user to enter as, whose home a test may write to";
  }
  return existsSync(sshd) || process.env["CI"] ? undefined : `${sshd} is missing: apt-get install openssh-server`;
}

/** Starts a server and waits until it answers. */
export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  const missing = sshServerMissing();
  if (missing) throw new Error(missing);
  const directory = await mkdtemp(join(tmpdir(), "anyproc-sshd-"));
  await chmod(directory, 0o755);
  const user = `${userPrefix}${process.pid}-${randomBytes(3).toString("hex")}`;
  const password = randomBytes(12).toString("hex");
  const home = join(directory, "home");
  await removeLeftUsers();
  await addUser(user, password, home, options.shell ?? "/bin/sh");

  const hostKeyFiles = (options.hostKeys ?? ["ed25519", "ecdsa"]).map((type) =>
    generateKey(directory, `host_${type}`, type),
  );
  const privateKey = generateKey(directory, "user_key", "ed25519");
  const authorizedKeys = join(directory, "authorized_keys");
  await writeFile(authorizedKeys, await readFile(`${privateKey}.pub`), { mode: 0o644 });
  const port = await freePort();
  const publicKeys = await Promise.all(hostKeyFiles.map((file) => readFile(`${file}.pub`, "utf8")));
  const knownHosts = join(directory, "known_hosts");
  await writeFile(knownHosts, publicKeys.map((key) => `[127.0.0.1]:${port} ${key}`).join(""));
  const configFile = join(directory, "sshd_config");
  await writeFile(
    configFile,
    [
      ...(options.config ?? []),
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      ...hostKeyFiles.map((file) => `HostKey ${file}`),
      `PidFile ${join(directory, "pid")}`,
      `AuthorizedKeysFile ${authorizedKeys}`,
      "StrictModes no",
      "UsePAM no",
      "PasswordAuthentication yes",
      "KbdInteractiveAuthentication no",
      "MaxSessions 64",
      "MaxStartups 100:30:200",
      "UseDNS no",
      "PrintMotd no",
      ...(options.config?.some((line) => line.startsWith("Subsystem ")) ? [] : ["Subsystem sftp internal-sftp"]),
      "",
    ].join("\n"),
  );
  await mkdir("/run/sshd", { recursive: true });

  let log = "";
  let child: ChildProcess | undefined;
  async function start(): Promise<void> {
    // setpriv(1): the server ends with us, however we end.
    const argv = ["--pdeathsig", "KILL", sshd, "-D", "-e", "-f", configFile];
    const started = spawn("setpriv", argv, { stdio: ["ignore", "ignore", "pipe"] });
    child = started;
    started.stderr.on("data", (chunk: Buffer) => {
      log += chunk;
    });
    await untilReady(port, started, () => log);
  }
  async function kill(): Promise<void> {
    if (!child) return;
    const isRunning = child.exitCode === null && child.signalCode === null;
    const gone = isRunning ? once(child, "exit") : undefined;
    const serving = descendants(child.pid ?? 0);
    child.kill("SIGKILL");
    signalQuietly(serving, "SIGKILL");
    await gone;
  }
  async function stop(): Promise<void> {
    await kill();
    await removeUser(user);
    await rm(directory, { recursive: true, force: true });
  }

  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host: "127.0.0.1",
    port,
    user,
    password,
    home,
    privateKey,
    knownHosts,
    directory,
    log: () => log,
    dropConnections: () => signalQuietly(descendants(child?.pid ?? 0), "SIGKILL"),
    freeze: () => signalQuietly(descendants(child?.pid ?? 0), "SIGSTOP"),
    kill,
    restart: start,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function addUser(user: string, password: string, home: string, shell: string): Promise<void> {
  await onPasswd(() => execFileSync("useradd", ["--home-dir", home, "--shell", shell, user], { stdio: "pipe" }));
  await onPasswd(() => execFileSync("chpasswd", { input: `${user}:${password}\n`, stdio: "pipe" }));
  const id = (flag: string): number => Number(execFileSync("id", [flag, user], { encoding: "utf8" }));
  await mkdir(home, { mode: 0o755 });
  await chown(home, id("-u"), id("-g"));
}

/** Users whose tests were killed before they could remove them; the name has the test's process id. */
async function removeLeftUsers(): Promise<void> {
  for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
    const [, user, pid] = /^(anyproc-(\d+)-[0-9a-f]{6}):/.exec(line) ?? [];
    if (user !== undefined && !existsSync(`/proc/${pid}`)) await removeUser(user);
  }
}

async function removeUser(user: string): Promise<void> {
  signalQuietly(processesOf(user), "SIGKILL");
  await onPasswd(() => {
    try {
      execFileSync("userdel", ["--force", user], { stdio: "pipe" });
    } catch (error) {
      // userdel(8): 6 means that there is no such user any more.
      if ((error as { status?: number }).status !== 6) throw error;
    }
  });
}

/** What a user runs: programs outlive a connection that is lost, and would belong to the next user with that number. */
function processesOf(user: string): number[] {
  const uid = new RegExp(`^${user}:[^:]*:(\\d+):`, "m").exec(readFileSync("/etc/passwd", "utf8"))?.[1];
  return runningProcesses().filter((pid) => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid === Number(uid));
}

function runningProcesses(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Only one program at a time may change /etc/passwd; several test files start servers at once. */
async function onPasswd(change: () => void): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      change();
      return;
    } catch (error) {
      if (attempt === 40 || !/lock/.test(String((error as { stderr?: unknown }).stderr))) throw error;
      await delay(50);
    }
  }
}

function generateKey(directory: string, name: string, type: string): string {
  const file = join(directory, name);
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", name, "-f", file]);
  return file;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Resolves when the server shows its banner. */
async function untilReady(port: number, child: ChildProcess, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`sshd ended at once:\n${log()}`);
    const banner = await new Promise<string>((resolve) => {
      const socket = connect({ host: "127.0.0.1", port });
      socket.once("error", () => resolve(""));
      socket.once("data", (data) => {
        socket.destroy();
        resolve(data.toString());
      });
    });
    if (banner.startsWith("SSH-2.0")) return;
    await delay(25);
  }
  throw new Error(`sshd on port ${port} does not answer:\n${log()}`);
}

/** The processes below one that are sshd's own: what users run is left to their sessions' end. */
function descendants(root: number): number[] {
  const parents = new Map<number, number>();
  for (const pid of runningProcesses()) {
    try {
      const [, command, , parent] = /^\d+ \((.*)\) (\S) (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
      if (command?.startsWith("sshd")) parents.set(pid, Number(parent));
    } catch {
      // It ended meanwhile.
    }
  }
  const found = new Set([root]);
  let size = 0;
  while (size !== found.size) {
    size = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  found.delete(root);
  return [...found];
}

function signalQuietly(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended meanwhile.
    }
  }
}
