import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { createProcess, exec } from "@anyproc/core";
import ssh2 from "ssh2";
import SftpClient from "ssh2-sftp-client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectSsh, fromSshClient, type UnknownHost } from "../src/index.ts";
import {
  describeOnServer,
  destination,
  enter,
  rejection,
  type SshServer,
  startSshServer,
  until,
  within,
  withServer,
} from "./server.ts";

let server: SshServer;
beforeAll(async () => {
  server = await startSshServer();
});
afterAll(() => server.stop());

async function whoAmI(options: Parameters<typeof connectSsh>[0]): Promise<string> {
  return within(
    connectSsh(options),
    async (box) => (await exec(box, ["id", "-un"], { trimFinalNewline: true })).stdout,
  );
}

describeOnServer("authentication", () => {
  it("enters by a key in a file, and by a key given as data", async () => {
    expect(await whoAmI(destination(server))).toBe(server.user);
    const data = readFileSync(server.privateKey);
    expect(await whoAmI({ ...destination(server), auth: { privateKeys: [{ data }] } })).toBe(server.user);
  });

  it("enters by an encrypted key, and says when the passphrase is missing or wrong", async () => {
    const path = join(server.directory, "encrypted");
    writeFileSync(path, readFileSync(server.privateKey), { mode: 0o600 });
    execFileSync("ssh-keygen", ["-q", "-p", "-N", "open sesame", "-f", path]);
    const entering = (passphrase?: string): Promise<string> =>
      whoAmI({
        ...destination(server),
        auth: { privateKeys: [{ path, ...(passphrase !== undefined && { passphrase }) }] },
      });
    expect(await entering("open sesame")).toBe(server.user);
    const missing = await rejection(entering());
    expect(missing).toMatchObject({ code: "ANYPROC_PRIVATE_KEY_INVALID" });
    expect(missing.message).toContain("it is encrypted: give its passphrase");
    const wrong = await rejection(entering("close sesame"));
    expect(wrong.message).toContain("the passphrase is wrong");
    expect(wrong.message).not.toContain("close sesame");
  });

  it("enters by password, and asks for it only when it is its turn", async () => {
    const { password } = server;
    expect(await whoAmI({ ...destination(server), auth: { password } })).toBe(server.user);
    let asked = 0;
    const auth = {
      privateKeys: [{ path: server.privateKey }],
      password: () => {
        asked += 1;
        return password;
      },
    };
    expect(await whoAmI({ ...destination(server), auth })).toBe(server.user);
    expect(asked).toBe(0);
  });

  it("refuses a wrong password with the remedy, and without the password", async () => {
    const auth = { password: "not-the-password" };
    const error = await rejection(enter(server, { auth }));
    expect(error).toMatchObject({ code: "ANYPROC_AUTHENTICATION_FAILED" });
    expect(error.message).toMatch(/the server refused .*password.*it takes .*publickey/);
    expect(JSON.stringify([error, error.message, error.stack, String(error.cause)])).not.toContain("not-the-password");
  });

  it("refuses a key that the server does not know, and names it", async () => {
    const path = join(server.directory, "stranger");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
    const error = await rejection(enter(server, { auth: { privateKeys: [{ path }] } }));
    expect(error).toMatchObject({ code: "ANYPROC_AUTHENTICATION_FAILED" });
    expect(error.message).toContain(`the server refused key ${path}`);
  });

  it.each([
    ["/nonexistent/key", /there is no such file/],
    ["/etc/passwd", /it is no private key/],
  ])("says what is wrong with %s as a key", async (path, message) => {
    const error = await rejection(enter(server, { auth: { privateKeys: [{ path }] } }));
    expect(error).toMatchObject({ code: "ANYPROC_PRIVATE_KEY_INVALID", message: expect.stringMatching(message) });
  });

  it("enters by an agent's key, and passes over an agent that is not there", async () => {
    const socket = join(server.directory, "agent");
    const agent: ChildProcess = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
    try {
      const env = { ...process.env, SSH_AUTH_SOCK: socket };
      await until(() => {
        try {
          execFileSync("ssh-add", ["-q", server.privateKey], { env, stdio: "ignore" });
          return true;
        } catch {
          return false;
        }
      });
      expect(await whoAmI({ ...destination(server), auth: { agent: socket } })).toBe(server.user);
    } finally {
      agent.kill();
    }
    const auth = { agent: join(server.directory, "no-agent") };
    expect(await rejection(enter(server, { auth }))).toMatchObject({ code: "ANYPROC_AUTHENTICATION_FAILED" });
  });

  it("asks for the passphrase of a key that the configuration names, and says when nobody can", async () => {
    const path = join(server.directory, "locked");
    writeFileSync(path, readFileSync(server.privateKey), { mode: 0o600 });
    execFileSync("ssh-keygen", ["-q", "-p", "-N", "open sesame", "-f", path]);
    const config = join(server.directory, "locked-config");
    writeFileSync(config, `IdentityFile ${path}\n`);
    const asked: string[] = [];
    const passphrase = (key: string): string => {
      asked.push(key);
      return asked.length === 1 ? "close sesame" : "open sesame";
    };
    const auth = { agent: false, passphrase } as const;
    expect(await whoAmI({ ...destination(server), config, auth })).toBe(server.user);
    expect(asked).toEqual([path, path]);
    for (const nobody of [{ agent: false }, { agent: false, passphrase: () => "wrong" }] as const) {
      const error = await rejection(enter(server, { config, auth: nobody }));
      expect(error).toMatchObject({ code: "ANYPROC_AUTHENTICATION_FAILED" });
      expect(error.message.includes(`${path} is encrypted: add it to an agent with ssh-add`)).toBe(
        !("passphrase" in nobody),
      );
    }
  });

  it("asks for a password until it is right, or the same as before", async () => {
    const { password } = server;
    const answers = ["wrong", "wrong again", password];
    const auth = { agent: false, password: () => answers.shift() ?? "" } as const;
    expect(await whoAmI({ ...destination(server), auth })).toBe(server.user);
    let asked = 0;
    const stubborn = (): string => {
      asked += 1;
      return "wrong";
    };
    expect(await rejection(enter(server, { auth: { agent: false, password: stubborn } }))).toMatchObject({
      code: "ANYPROC_AUTHENTICATION_FAILED",
    });
    expect(asked).toBeLessThanOrEqual(3);
  });

  it("answers keyboard-interactive questions", async () => {
    const config = [
      "UsePAM yes",
      "KbdInteractiveAuthentication yes",
      "PasswordAuthentication no",
      "PubkeyAuthentication no",
    ];
    await withServer({ config }, async (pam) => {
      const { password } = pam;
      expect(await whoAmI({ ...destination(pam), auth: { password } })).toBe(pam.user);
      const questions: string[] = [];
      const answerPrompts = async (prompts: readonly { text: string; echo: boolean }[]): Promise<string[]> => {
        questions.push(...prompts.map(({ text, echo }) => `${text}${echo}`));
        return prompts.map(() => password);
      };
      expect(await whoAmI({ ...destination(pam), auth: { answerPrompts } })).toBe(pam.user);
      expect(questions).toEqual(["Password: false"]);
    });
  });

  it("gives a key and then a password where the server wants both", async () => {
    await withServer({ config: ["AuthenticationMethods publickey,password"] }, async (both) => {
      const privateKeys = [{ path: both.privateKey }];
      expect(await whoAmI({ ...destination(both), auth: { privateKeys, password: both.password } })).toBe(both.user);
      const error = await rejection(enter(both));
      expect(error.message).toContain("it takes password");
    });
  });
});

describeOnServer("host keys", () => {
  function withKnownHosts(name: string, text: string): string {
    const file = join(server.directory, name);
    writeFileSync(file, text);
    return file;
  }
  const known = (): string => readFileSync(server.knownHosts, "utf8");

  it("refuses a host that is not known, with its fingerprint", async () => {
    const error = await rejection(enter(server, { knownHosts: withKnownHosts("empty", "") }));
    expect(error).toMatchObject({ code: "ANYPROC_HOST_KEY_UNKNOWN" });
    const printed = execFileSync("ssh-keygen", ["-lf", server.knownHosts], { encoding: "utf8" });
    expect(printed).toContain(/SHA256:\S+(?=;)/.exec(error.message)?.[0]);
  });

  it("adds an unknown host's key with acceptNew, once, and knows it then", async () => {
    const file = withKnownHosts("new", "# no newline at the end");
    await (await enter(server, { knownHosts: file, acceptNew: true })).close();
    await (await enter(server, { knownHosts: file })).close();
    await (await enter(server, { knownHosts: file, acceptNew: true })).close();
    const lines = readFileSync(file, "utf8").trim().split("\n");
    expect(lines).toHaveLength(2);
    expect(known()).toContain(lines[1]);
  });

  it("asks whether to accept an unknown host, and takes no for an answer", async () => {
    const file = withKnownHosts("asked", "");
    const asked: UnknownHost[] = [];
    const answering = (answer: boolean) => ({
      knownHosts: file,
      acceptNew: (host: UnknownHost) => {
        asked.push(host);
        return answer;
      },
    });
    expect(await rejection(enter(server, answering(false)))).toMatchObject({ code: "ANYPROC_HOST_KEY_UNKNOWN" });
    expect(readFileSync(file, "utf8")).toBe("");
    await (await enter(server, answering(true))).close();
    await (await enter(server, answering(false))).close();
    const printed = execFileSync("ssh-keygen", ["-lf", file], { encoding: "utf8" });
    expect(asked).toHaveLength(2);
    for (const { name, fingerprint } of asked) {
      expect(name).toBe(`[127.0.0.1]:${server.port}`);
      expect(printed).toContain(fingerprint);
    }
  });

  it("refuses a changed key, even with acceptNew, and leaves the file alone", async () => {
    const stranger = join(server.directory, "changed");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", stranger]);
    const text = `[127.0.0.1]:${server.port} ${readFileSync(`${stranger}.pub`, "utf8")}`;
    const file = withKnownHosts("changed_hosts", text);
    const error = await rejection(enter(server, { knownHosts: file, acceptNew: true }));
    expect(error).toMatchObject({ code: "ANYPROC_HOST_KEY_CHANGED" });
    expect(error.message).toContain(`ssh-keygen -R '[127.0.0.1]:${server.port}' -f ${file}`);
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  it("refuses a revoked key", async () => {
    const revoked = known()
      .trim()
      .split("\n")
      .map((line) => `@revoked * ${line.split(" ").slice(1, 3).join(" ")}\n`)
      .join("");
    const error = await rejection(
      enter(server, { knownHosts: withKnownHosts("revoked", known() + revoked), acceptNew: true }),
    );
    expect(error).toMatchObject({ code: "ANYPROC_HOST_KEY_REVOKED" });
  });

  it("knows a host by hashed names", async () => {
    const file = withKnownHosts("hashed", known());
    execFileSync("ssh-keygen", ["-q", "-H", "-f", file], { stdio: "ignore" });
    expect(readFileSync(file, "utf8")).not.toContain("127.0.0.1");
    await (await enter(server, { knownHosts: file })).close();
  });

  it("asks a server with several keys for one that is known", async () => {
    for (const line of known().trim().split("\n")) {
      await (await enter(server, { knownHosts: withKnownHosts("one", `${line}\n`) })).close();
    }
  });

  it("says that host certificates are not supported where only an authority is known", async () => {
    const text = known().replaceAll(/^\S+/gm, "@cert-authority *");
    const error = await rejection(enter(server, { knownHosts: withKnownHosts("authority", text) }));
    expect(error).toMatchObject({ code: "ANYPROC_HOST_KEY_UNKNOWN" });
    expect(error.message).toContain("host certificates are not supported");
  });
});

describeOnServer("routes", () => {
  it("goes through jump hosts, and through what ssh_config says", async () => {
    const jump = { ...destination(server) };
    await within(enter(server, { jump: [jump, jump] }), async (box) => {
      const { stdout } = await exec(box, ["sh", "-c", 'echo "$SSH_CONNECTION"']);
      expect(stdout).toContain("127.0.0.1");
    });
    const config = join(server.directory, "config");
    writeFileSync(
      config,
      `Host gate inner
  HostName 127.0.0.1
  Port ${server.port}
  User ${server.user}
  IdentityFile ${server.privateKey}
  IdentityAgent none
  UserKnownHostsFile ${server.knownHosts}
Host inner
  ProxyJump gate
`,
    );
    expect(await whoAmI({ host: "inner", config })).toBe(server.user);
  });

  it("asks how to enter a jump host, and keeps the server's own password from it", async () => {
    await withServer({}, async (gate) => {
      const knownHosts = [server.knownHosts, gate.knownHosts];
      const jump = [`${gate.user}@${gate.host}:${gate.port}`];
      const asked: string[] = [];
      const jumpAuth = (jumpHost: string) => {
        asked.push(jumpHost);
        return { agent: false, privateKeys: [], password: () => gate.password } as const;
      };
      const password = (): string => server.password;
      const options = { ...destination(server), knownHosts, jump, auth: { agent: false, password } } as const;
      expect(await whoAmI({ ...options, jumpAuth })).toBe(server.user);
      expect(asked).toEqual(jump);
      const error = await rejection(connectSsh({ ...options, jumpAuth: () => ({ agent: false, privateKeys: [] }) }));
      expect(error).toMatchObject({ code: "ANYPROC_AUTHENTICATION_FAILED" });
      expect(error.message).toContain(`${jump[0]}: there was nothing to try`);
    });
  });

  it("says which host behind a jump host cannot be reached", async () => {
    const error = await rejection(enter(server, { jump: [destination(server)], port: 1 }));
    expect(error).toMatchObject({ code: "ANYPROC_HOST_UNREACHABLE" });
    expect(error.message).toContain("through a jump host");
  });

  it("uses a client that is connected already", async () => {
    const client = new ssh2.Client();
    await new Promise<void>((resolve, reject) => {
      client.once("ready", resolve).once("error", reject);
      client.connect({
        host: server.host,
        port: server.port,
        username: server.user,
        privateKey: readFileSync(server.privateKey),
      });
    });
    await within(Promise.resolve(fromSshClient(client)), async (box) => {
      expect((await exec(box, ["echo", "hello"])).stdout).toBe("hello\n");
    });
  });

  it("uses the client of an ssh2-sftp-client", async () => {
    const sftp = new SftpClient();
    await sftp.connect({
      host: server.host,
      port: server.port,
      username: server.user,
      privateKey: readFileSync(server.privateKey),
    });
    const { client } = sftp as unknown as { client: ssh2.Client };
    expect((await exec(fromSshClient(client), ["echo", "hello"])).stdout).toBe("hello\n");
    await sftp.end();
  });

  it("is in the registry as ssh", async () => {
    const process = await createProcess("ssh", ["echo", "hello"], { environment: { ...destination(server) } });
    const lines = process.lines();
    await process.start();
    for await (const line of lines) expect(line).toBe("hello");
    expect(await process.wait()).toMatchObject({ exitCode: 0 });
    await expect(createProcess("ssh", ["true"])).rejects.toMatchObject({ code: "ANYPROC_INVALID_OPTION" });
  });
});

describeOnServer("servers that cannot be reached", () => {
  async function listening(server: Server): Promise<number> {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    return typeof address === "object" && address ? address.port : 0;
  }

  it("says that a name does not resolve", async () => {
    const error = await rejection(connectSsh({ host: "no..such.host", config: false }));
    expect(error).toMatchObject({ code: "ANYPROC_HOST_UNREACHABLE" });
    expect(error.message).toContain("no..such.host: the name does not resolve");
  });

  it("says that nothing listens", async () => {
    const error = await rejection(enter(server, { port: 1 }));
    expect(error).toMatchObject({ code: "ANYPROC_HOST_UNREACHABLE" });
    expect(error.message).toContain("nothing listens on that port");
  });

  it("gives up on a server that never answers, and on an abort", async () => {
    const sockets = new Set<{ destroy(): void }>();
    const silent = createServer((socket) => sockets.add(socket));
    const port = await listening(silent);
    try {
      const error = await rejection(enter(server, { port, timeoutMs: 50 }));
      expect(error).toMatchObject({ code: "ANYPROC_CONNECTION_TIMEOUT" });
      const reason = new Error("enough");
      const abort = new AbortController();
      const entering = rejection(enter(server, { port, signal: abort.signal }));
      abort.abort(reason);
      expect(await entering).toBe(reason);
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });

  it("says that a server is no SSH server", async () => {
    const web = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const port = await listening(web);
    try {
      const error = await rejection(enter(server, { port }));
      expect(error).toMatchObject({ code: "ANYPROC_HOST_UNREACHABLE" });
    } finally {
      web.close();
    }
  });

  it.each([
    [{ host: "" }, /name the SSH server/],
    [{ host: "a b" }, /name the SSH server/],
    [{ host: "box", port: 70_000 }, /no port number/],
    [{ host: "box", timeoutMs: -1 }, /timeoutMs is -1/],
  ])("refuses %j", async (options, message) => {
    const error = await rejection(connectSsh({ config: false, ...options }));
    expect(error).toMatchObject({ code: "ANYPROC_INVALID_OPTION", message: expect.stringMatching(message) });
  });
});
