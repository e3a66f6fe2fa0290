import { access } from "node:fs/promises";
import { createDocker } from "@anyproc/docker";
import { allowAll, inEnvironment, open, PolicyError, run } from "@anyproc/emrun";
import { connectSsh } from "@anyproc/ssh";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DockerServer, dockerServerMissing, startDockerServer } from "../../../tools/services/docker.ts";
import { type SshServer, sshServerMissing, startSshServer } from "../../../tools/services/ssh.ts";
import { hasAddon } from "./implementations.ts";
import { script } from "./payloads.ts";

const missingSsh = sshServerMissing();
const missingDocker = dockerServerMissing();
for (const missing of [missingSsh, missingDocker]) {
  if (missing) console.warn(`tests against a real server are skipped: ${missing}`);
}

describe.skipIf(missingSsh)("inEnvironment: over SSH", () => {
  let server: SshServer;
  beforeAll(async () => {
    server = await startSshServer();
  });
  afterAll(() => server?.stop());

  function connect(): ReturnType<typeof connectSsh> {
    const { host, port, user, knownHosts, privateKey } = server;
    return connectSsh({ host, port, user, knownHosts, config: false, auth: { privateKeys: [{ path: privateKey }] } });
  }

  test("a payload is written there for the run, for its user alone, and removed", async () => {
    await using environment = await connect();
    await using payload = await open(script('echo "$0 $1"; ls -l "$0"; cat; exit 4'));
    expect(payload.isMemfd).toBe(hasAddon);
    const options = { runner: inEnvironment(environment), stdin: Buffer.from("input\n"), reject: false };
    const { exitCode, combinedOutput } = await run(payload, ["argument"], options);
    expect(exitCode).toBe(4);
    const [path = "", listed, input] = String(combinedOutput).split(/ argument\n|\n/);
    // Not from the memory of this process, though this server could see it: another machine's has the same paths.
    expect(path).toMatch(new RegExp(`^/tmp/${payload.digest}-[0-9a-f]{16}$`));
    expect(listed).toMatch(/^-rwx------ /);
    expect(input).toBe("input");
    await expect(access(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("what the policy denies is not even written", async () => {
    await using environment = await connect();
    const { fs, ...rest } = environment;
    let writes = 0;
    const counted = {
      ...fs,
      writeFile: (...parameters: Parameters<typeof fs.writeFile>) => {
        writes += 1;
        return fs.writeFile(...parameters);
      },
    };
    const runner = inEnvironment({ ...rest, fs: counted });
    const policy = allowAll.withPolicy("deny");
    await expect(run(script("true"), [], { runner, policy })).rejects.toBeInstanceOf(PolicyError);
    expect(writes).toBe(0);
    await run(script("true"), [], { runner });
    expect(writes).toBe(1);
  });
});

describe.skipIf(missingDocker)("inEnvironment: a container that is made for one command", () => {
  // It starts when two processors get round to it.
  const timeout = 120_000;
  let server: DockerServer;
  beforeAll(async () => {
    server = await startDockerServer();
  }, timeout);
  afterAll(() => server?.stop(), timeout);

  test("a payload comes by stdin, before its own input", { timeout }, async () => {
    const { host, image } = server;
    await using environment = await createDocker({ image, pull: "never", network: "none", connection: { host } });
    await using payload = await open(script('echo "$1"; cat; ls /tmp; exit 4'));
    const options = { runner: inEnvironment(environment), stdin: Buffer.from("input\n"), reject: false };
    const { exitCode, combinedOutput } = await run(payload, ["argument"], options);
    expect({ exitCode, output: String(combinedOutput) }).toEqual({ exitCode: 4, output: "argument\ninput\n" });
  });
});
