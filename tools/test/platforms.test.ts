import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

// Built, as they are published: `npm test` builds before it tests.
const packages = new URL("../../packages/", import.meta.url);
const entry = (name: string): string => new URL(`${name}/dist/index.js`, packages).href;
const names = readdirSync(packages).filter((name) => existsSync(new URL(entry(name))));
const asPlatform = new URL("fixtures/as-platform.mjs", import.meta.url).href;

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe.each([
  ["darwin", "arm64"],
  ["win32", "x64"],
  ["linux", "riscv64"],
])("where Node.js says that it runs on %s-%s", (platform, arch) => {
  function node(...args: string[]): Promise<Outcome> {
    const env = { ...process.env, PLATFORM: platform, ARCH: arch };
    return new Promise((resolve) => {
      execFile(process.execPath, ["--import", asPlatform, ...args], { env }, (error, stdout, stderr) => {
        resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr });
      });
    });
  }

  test.each(names)("%s can be imported", async (name) => {
    const { stdout, stderr } = await node("--eval", `import("${entry(name)}").then(() => console.log("here"))`);
    expect({ stdout, stderr }).toEqual({ stdout: "here\n", stderr: "" });
  });

  test("proot is refused by a code, and its diagnosis says so", async () => {
    const script = `import("${entry("proot")}").then(async ({ createProot, diagnose }) => {
      const { code } = await createProot({ rootfs: "/" }).catch((error) => error);
      console.log(code, (await diagnose()).ok);
    })`;
    expect(await node("--eval", script)).toEqual({ exitCode: 0, stdout: "ANYPROC_UNSUPPORTED false\n", stderr: "" });
  });

  test("the command starts, and refuses what is not there in one sentence", async () => {
    const main = fileURLToPath(new URL("cli/dist/main.js", packages));
    expect(await node(main, "--version")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await node(main, "run", "--rootfs", "/", "true")).toEqual({
      exitCode: 125,
      stdout: "",
      stderr: expect.stringMatching(/^anyproc: proot: .* is not supported here: [^\n]+\n$/),
    });
  });
});

test("packages were found", () => expect(names).toEqual(expect.arrayContaining(["core", "host", "proot", "ssh"])));
