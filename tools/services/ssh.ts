import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

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
const execFileOf = promisify(execFile);

// Below the ports that ip(7) hands out by itself (ip_local_port_range): none of them is some connection's own.
const lowestPort = 20_000;
const highestPort = 32_000;

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
  const publicKeys = await Promise.all(hostKeyFiles.map((file) => readFile(`${file}.pub`, "utf8")));
  const configFile = join(directory, "sshd_config");
  await writeFile(
    configFile,
    [
      ...(options.config ?? []),
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
  /** Resolves when the server listens. */
  async function start(port: number): Promise<void> {
    const said = log.length;
    // setpriv(1): the server ends with us, however we end.
    const argv = ["--pdeathsig", "KILL", sshd, "-D", "-e", "-f", configFile, "-p", String(port)];
    const started = spawn("setpriv", argv, { stdio: ["ignore", "ignore", "pipe"] });
    child = started;
    await new Promise<void>((resolve, reject) => {
      started.stderr.on("data", (chunk: Buffer) => {
        log += chunk;
        if (log.includes(`Server listening on 127.0.0.1 port ${port}.`, said)) resolve();
      });
      started.once("error", reject);
      started.once("close", () => reject(new Error(`sshd has ended:\n${log.slice(said)}`)));
    });
  }
  /** Takes a port that nobody else has: only the server itself can tell. */
  async function startSomewhere(): Promise<number> {
    for (;;) {
      const port = randomInt(lowestPort, highestPort);
      try {
        await start(port);
        return port;
      } catch (error) {
        if (!/Address already in use/.test(String(error))) throw error;
      }
    }
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

  let port: number;
  const knownHosts = join(directory, "known_hosts");
  try {
    port = await startSomewhere();
    await writeFile(knownHosts, publicKeys.map((key) => `[127.0.0.1]:${port} ${key}`).join(""));
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
    restart: () => start(port),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function addUser(user: string, password: string, home: string, shell: string): Promise<void> {
  await changeUsers(["useradd", "--home-dir", home, "--shell", shell, user]);
  await changeUsers(["chpasswd"], `${user}:${password}\n`);
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
  try {
    await changeUsers(["userdel", "--force", user]);
  } catch (error) {
    // userdel(8): 6 means that there is no such user any more.
    if ((error as { code?: unknown }).code !== 6) throw error;
  }
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

/** Only one program at a time may change /etc/passwd, and several test files start servers at once: they take turns. */
async function changeUsers(argv: readonly string[], input = ""): Promise<void> {
  const changing = execFileOf("flock", [join(tmpdir(), "anyproc-users.lock"), ...argv]);
  changing.child.stdin?.end(input);
  await changing;
}

function generateKey(directory: string, name: string, type: string): string {
  const file = join(directory, name);
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", name, "-f", file]);
  return file;
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
