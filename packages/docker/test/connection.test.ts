import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { inspect } from "node:util";
import { exec } from "@anyproc/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sshServerMissing, startSshServer } from "../../../tools/services/ssh.ts";
import { daemonError, isTooLate, RefusedRequest } from "../src/connection/daemon-error.ts";
import { parseHost, resolveEndpoint } from "../src/connection/endpoint.ts";
import { transportsTo } from "../src/connection/transport.ts";
import { connectDocker, createDocker } from "../src/index.ts";
import { connectionTo, type DockerServer, describeOn, enter, rejection, startDockerServer, within } from "./server.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "anyproc-docker-test-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true });
});

describe("which daemon", () => {
  async function addContext(name: string, host: string): Promise<void> {
    const id = createHash("sha256").update(name).digest("hex");
    await mkdir(join(directory, "contexts/meta", id), { recursive: true });
    const meta = { Name: name, Endpoints: { docker: { Host: host } } };
    await writeFile(join(directory, "contexts/meta", id, "meta.json"), JSON.stringify(meta));
  }
  const nameOf = async (options: object, env: NodeJS.ProcessEnv): Promise<string> =>
    (await resolveEndpoint(options, { DOCKER_CONFIG: directory, ...env })).name;

  it("is found in docker's order: option, DOCKER_HOST, DOCKER_CONTEXT, current context, local socket", async () => {
    await addContext("one", "unix:///one");
    await addContext("two", "ssh://two");
    await writeFile(join(directory, "config.json"), JSON.stringify({ currentContext: "two" }));
    expect(await nameOf({}, {})).toBe("ssh://two");
    expect(await nameOf({}, { DOCKER_CONTEXT: "one" })).toBe("unix:///one");
    expect(await nameOf({}, { DOCKER_CONTEXT: "one", DOCKER_HOST: "tcp://h:1" })).toBe("tcp://h:1");
    expect(await nameOf({ context: "two" }, { DOCKER_HOST: "tcp://h:1" })).toBe("ssh://two");
    expect(await nameOf({ host: "unix:///option" }, { DOCKER_HOST: "tcp://h:1" })).toBe("unix:///option");
    expect(await nameOf({}, { DOCKER_CONTEXT: "default" })).toMatch(/^unix:\/\/\/.*docker\.sock$/);
  });

  const hasDocker = Boolean(process.env["CI"]) || spawnSync("docker", ["--version"]).status === 0;
  it.skipIf(!hasDocker)("is the one that docker itself has as a context", async () => {
    const docker = (...args: string[]): unknown =>
      execFileSync("docker", ["--config", directory, "context", ...args], { stdio: "pipe" });
    docker("create", "made", "--docker", "host=tcp://made:2375");
    docker("use", "made");
    expect(await nameOf({}, {})).toBe("tcp://made:2375");
  });

  it.each([
    [{ host: "unix:///a", context: "b" }, "leave one of them out"],
    [{ context: "absent" }, "docker context ls"],
    [{ host: "ftp://h" }, "ftp:// is no known transport"],
    [{ host: "unix://" }, "there is no path"],
    [{ host: "tcp://" }, "does not name a host"],
    [{ host: "tcp://h:99999" }, "does not name a host"],
    [{ host: "tcp://alice:s3cret@h" }, "a password does not belong there"],
    [{ host: "tcp://alice:s3:cret@s3cret@h" }, 'docker host "tcp://...@h"'],
    [{ host: "tcp://h/path" }, "a path does not belong there"],
    [{ host: "tcp://h", tls: "/nonexistent" }, "no ca.pem"],
  ])("is refused when it cannot be: %j", async (options, text) => {
    const error = await rejection(nameOf(options, {}));
    expect(error).toMatchObject({ code: "ANYPROC_INVALID_OPTION" });
    expect(error.message).toContain(text);
    expect(error.message).not.toMatch(/alice|s3/);
  });

  it("listens on the usual ports", () => {
    expect(parseHost("tcp://[::1]")).toMatchObject({ host: "::1", port: 2375 });
    expect(parseHost("h:5")).toMatchObject({ host: "h", port: 5, certificates: undefined });
    expect(parseHost("https://h")).toMatchObject({ port: 2376, certificates: {} });
    expect(parseHost("ssh://me@h:23/run/d.sock")).toMatchObject({
      user: "me",
      host: "h",
      port: 23,
      path: "/run/d.sock",
    });
  });
});

it.each([
  parseHost("unix:///run/docker.sock"),
  parseHost("ssh://h"),
  parseHost("tcp://h"),
  parseHost("tcp://h", { cert: "the certificate", key: "the key" }),
])("what dockerode writes of each request has neither sockets nor keys: $name", (endpoint) => {
  const transports = transportsTo(endpoint);
  const written = inspect(transports.dockerode, { showHidden: true, depth: null });
  expect(written).toContain("agent: Agent");
  expect(written).not.toMatch(/sockets|key/i);
  transports.close();
});

describe("a daemon that does not answer", () => {
  it("is unreachable, with what to do about it", async () => {
    const absent = await rejection(connectDocker({ host: `unix://${directory}/absent` }));
    expect(absent).toMatchObject({ code: "ANYPROC_DOCKER_UNREACHABLE" });
    expect(absent.message).toContain("start the daemon, or set DOCKER_HOST");
    await writeFile(join(directory, "file"), "");
    const refused = await rejection(connectDocker({ host: `unix://${directory}/file` }));
    expect(refused).toMatchObject({ code: "ANYPROC_DOCKER_UNREACHABLE" });
    const unknown = await rejection(connectDocker({ host: "tcp://no-such-host.invalid" }));
    expect(unknown).toMatchObject({ code: "ANYPROC_DOCKER_UNREACHABLE" });
    expect(unknown.message).toMatch(/does not resolve|cannot be looked up/);
  });

  it("is given up on after a time, or when asked to", async () => {
    const silent = createServer(() => {}).listen(join(directory, "silent"));
    const host = `unix://${directory}/silent`;
    const late = await rejection(connectDocker({ host, timeoutMs: 50 }));
    expect(late).toMatchObject({ code: "ANYPROC_DOCKER_UNREACHABLE" });
    expect(late.message).toContain("no answer in time");
    const reason = new Error("enough");
    const controller = new AbortController();
    const connecting = rejection(connectDocker({ host, signal: controller.signal }));
    controller.abort(reason);
    expect(await connecting).toBe(reason);
    silent.close();
  });

  it("is no daemon when something else answers", async () => {
    const other = createServer((socket) => socket.end("220 mail.example.org ESMTP\r\n")).listen(
      join(directory, "other"),
    );
    const error = await rejection(connectDocker({ host: `unix://${directory}/other` }));
    expect(error).toMatchObject({ code: "ANYPROC_DOCKER_UNREACHABLE" });
    expect(error.message).toContain("is no Docker daemon");
    other.close();
  });

  it.skipIf(process.getuid?.() !== 0)("says when only others may use the socket", async () => {
    await chmod(directory, 0o711);
    const socket = createServer(() => {}).listen(join(directory, "private"));
    await new Promise((resolve) => socket.once("listening", resolve));
    await chmod(join(directory, "private"), 0o600);
    process.seteuid?.(65_534);
    try {
      const error = await rejection(connectDocker({ host: `unix://${directory}/private` }));
      expect(error).toMatchObject({ code: "ANYPROC_DOCKER_PERMISSION_DENIED" });
      expect(error.message).toContain("usermod -aG docker");
    } finally {
      process.seteuid?.(0);
      socket.close();
    }
  });
});

describe("a container that goes while it is asked about", () => {
  // What podman 4.3 answers then; docker's is the first.
  it.each([
    [404, "No such container: box"],
    [404, 'no container with name or ID "box" found: no such container'],
    [500, 'no container with name or ID "box" found: no such container'],
  ])("is not found, by status %i and %j", (status, message) => {
    const error = daemonError("unix:///socket", "box", new RefusedRequest(status, { message }));
    expect(error).toMatchObject({ code: "ANYPROC_CONTAINER_NOT_FOUND" });
    expect(isTooLate(error)).toBe(true);
  });
});

describeOn("docker")("a real daemon", () => {
  it("is reached over TLS, which keeps the end of stdin apart from the end of the connection", async () => {
    const certificates = makeCertificates(directory);
    const tls = ["ca", "cert", "key"].map(
      (name) => `--tls${name}${name === "ca" ? "cert" : ""}=${certificates}/${name}.pem`,
    );
    const server = await startDockerServer({ arguments: ["--tlsverify", ...tls, "--host=tcp://127.0.0.1:2376"] });
    const port = await server.bringOut(2376);
    const host = `tcp://127.0.0.1:${port}`;
    await within(enter(server, { connection: { host, tls: certificates } }), async (docker) => {
      const { stdout } = await exec(docker, ["sh", "-c", "cat; sleep 0.1; echo after"], { input: "over tls\n" });
      expect(stdout).toBe("over tls\nafter\n");
    });
    vi.stubEnv("DOCKER_HOST", host);
    vi.stubEnv("DOCKER_TLS_VERIFY", "1");
    vi.stubEnv("DOCKER_CERT_PATH", certificates);
    await (await connectDocker()).close();
    vi.unstubAllEnvs();
    const plain = await rejection(connectDocker({ host }));
    expect(plain).toMatchObject({ code: "ANYPROC_DOCKER_REFUSED" });
    expect(plain.message).toContain("set tls");
    const stranger = await rejection(connectDocker({ host, tls: {} }));
    expect(stranger).toMatchObject({ code: "ANYPROC_DOCKER_UNREACHABLE" });
    expect(stranger.message).toContain("check ca.pem");
    await server.stop();
  });

  const noSsh = sshServerMissing();
  it.skipIf(noSsh)("is reached over SSH", async () => {
    const server: DockerServer = await startDockerServer();
    await using machine = await startSshServer();
    await chmod(server.directory, 0o755);
    await chmod(server.socket, 0o666);
    const config = ["-F", "none", "-i", machine.privateKey, "-o", `UserKnownHostsFile=${machine.knownHosts}`];
    await writeFile(join(directory, "ssh"), `#!/bin/sh\nexec /usr/bin/ssh ${config.join(" ")} "$@"\n`, { mode: 0o755 });
    vi.stubEnv("PATH", `${directory}${delimiter}${process.env["PATH"]}`);
    const address = `${machine.user}@127.0.0.1:${machine.port}`;
    const connection = { host: `ssh://${address}${server.socket}` };
    await within(enter(server, { connection }), async (docker) => {
      const { stdout } = await exec(docker, ["sh", "-c", "cat; echo after"], { input: "over ssh\n" });
      expect(stdout).toBe("over ssh\nafter\n");
    });
    const absent = await rejection(connectDocker({ host: `ssh://${address}/absent` }));
    expect(absent).toMatchObject({ code: "ANYPROC_DOCKER_UNREACHABLE" });
    await chmod(directory, 0o777);
    await rejection(connectDocker({ host: `ssh://${address}/absent;touch%20${directory}/touched` }));
    expect(await readdir(directory)).toEqual(["ssh"]);
    const stranger = await rejection(connectDocker({ host: `ssh://nobody-here@127.0.0.1:${machine.port}/x` }));
    expect(stranger.message).toContain("Permission denied");
    await server.stop();
  });

  it("refuses what it refuses in its own words", async () => {
    const server = await startDockerServer();
    const mounted = createDocker({
      image: server.image,
      network: "no-such-network",
      connection: connectionTo(server),
    });
    await within(mounted, async (docker) => {
      const error = await rejection(exec(docker, ["true"]));
      expect(error.message).toContain("no-such-network");
    });
    await server.stop();
  });
});

/** An authority, and one certificate that both sides show. Returns the directory with the files. */
function makeCertificates(parent: string): string {
  const script = `
    cd "$0" && exec 2>/dev/null
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem
    openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out request.pem
    printf 'subjectAltName=IP:127.0.0.1\\nextendedKeyUsage=serverAuth,clientAuth\\n' >extensions
    openssl x509 -req -days 2 -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -extfile extensions -out cert.pem`;
  execFileSync("sh", ["-c", script, parent]);
  return parent;
}
