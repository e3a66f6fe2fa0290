import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { findCredentials } from "../../src/index.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";

const auth = Buffer.from("alice:se:cret").toString("base64");
const alice = { username: "alice", password: "se:cret" };

/** An environment whose docker configuration is this one. */
function configured(config: unknown, extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  return { PATH: process.env["PATH"], DOCKER_CONFIG: directory, ...extra };
}

/** A credential helper that answers in this way. */
function withHelper(script: string): NodeJS.ProcessEnv {
  const directory = temporaryDirectory();
  const program = join(directory, "docker-credential-test");
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  return { PATH: `${directory}${delimiter}${process.env["PATH"]}` };
}

describe("config.json", () => {
  test.each([
    ["docker.io", { "https://index.docker.io/v1/": { auth } }],
    ["docker.io", { "docker.io": { auth } }],
    ["ghcr.io", { "ghcr.io": { auth } }],
    ["ghcr.io", { "https://ghcr.io": { auth } }],
    ["localhost:5000", { "localhost:5000": { username: "alice", password: "se:cret" } }],
  ])("knows %s from %j", async (registry, auths) => {
    expect(await findCredentials(registry, configured({ auths }))).toEqual(alice);
    expect(await findCredentials("other.example", configured({ auths }))).toBeUndefined();
  });

  test("has identity tokens", async () => {
    const env = configured({ auths: { "a.example": { auth, identitytoken: "token" } } });
    expect(await findCredentials("a.example", env)).toEqual({ identityToken: "token" });
  });

  test("may be missing", async () => {
    expect(await findCredentials("a.example", { DOCKER_CONFIG: join(temporaryDirectory(), "none") })).toBeUndefined();
  });

  test("may stand in DOCKER_AUTH_CONFIG, or in podman's place", async () => {
    const text = JSON.stringify({ auths: { "a.example": { auth } } });
    expect(await findCredentials("a.example", { DOCKER_AUTH_CONFIG: text })).toEqual(alice);
    const runtime = temporaryDirectory();
    mkdirSync(join(runtime, "containers"));
    writeFileSync(join(runtime, "containers/auth.json"), text);
    const env = { XDG_RUNTIME_DIR: runtime, DOCKER_CONFIG: temporaryDirectory() };
    expect(await findCredentials("a.example", env)).toEqual(alice);
  });

  test("that is not JSON is named, and its content is not shown", async () => {
    const failure = findCredentials("a.example", configured('{"auths": {"a.example": {"auth": "c2VjcmV0"'));
    await expect(failure).rejects.toMatchObject({ code: "ANYPROC_CREDENTIALS_UNREADABLE" });
    await expect(failure).rejects.not.toThrowError(/c2Vj/);
  });
});

describe("credential helpers", () => {
  const answer = `read server; echo "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"u\\",\\"Secret\\":\\"for $server\\"}"`;

  test("are asked for their registries, and the store for all others", async () => {
    const env = withHelper(answer);
    const one = configured({ credHelpers: { "a.example": "test" } }, env);
    expect(await findCredentials("a.example", one)).toEqual({ username: "u", password: "for a.example" });
    expect(await findCredentials("b.example", one)).toBeUndefined();
    const all = configured({ credsStore: "test" }, env);
    expect(await findCredentials("docker.io", all)).toEqual({
      username: "u",
      password: "for https://index.docker.io/v1/",
    });
  });

  test("give identity tokens under a name of their own", async () => {
    const env = withHelper(`cat >/dev/null; echo '{"Username":"<token>","Secret":"t"}'`);
    expect(await findCredentials("a.example", configured({ credsStore: "test" }, env))).toEqual({ identityToken: "t" });
  });

  test("may know nothing", async () => {
    const env = withHelper("cat >/dev/null; echo credentials not found in native keychain; exit 1");
    expect(await findCredentials("a.example", configured({ credsStore: "test" }, env))).toBeUndefined();
  });

  test.each([
    ["that fail", withFailure("exit 3"), /exit status 3/],
    ["that talk nonsense", withFailure("echo nonsense"), /not JSON/],
  ])("%s are named", async (_, env, reason) => {
    await expect(findCredentials("a.example", configured({ credsStore: "test" }, env()))).rejects.toThrowError(reason);
  });

  test("that are missing are named", async () => {
    const env = configured({ credsStore: "missing-helper" });
    await expect(findCredentials("a.example", env)).rejects.toThrowError(
      /docker-credential-missing-helper.*install it/,
    );
  });
});

function withFailure(script: string): () => NodeJS.ProcessEnv {
  return () => withHelper(`cat >/dev/null; ${script}`);
}
