import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { anyproc, startAnyproc } from "./support/anyproc.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";

const text = '#!/bin/sh\necho "$# $1"\ncat\necho err >&2\nexit 3\n';
const digest = createHash("sha256").update(text).digest("hex");

function scriptFile(): string {
  const file = join(temporaryDirectory(), "script");
  writeFileSync(file, text);
  return file;
}

describe("anyproc emrun", () => {
  test("runs a file that is not executable itself, with its arguments, stdin and exit status", async () => {
    expect(await anyproc(["emrun", scriptFile(), "--", "-x", "b"], { input: "in\n" })).toEqual({
      exitCode: 3,
      stdout: "2 -x\nin\n",
      stderr: "err\n",
    });
  });

  test("reads it from stdin", async () => {
    expect(await anyproc(["emrun", "-", "a"], { input: text })).toEqual({
      exitCode: 3,
      stdout: "1 a\n",
      stderr: "err\n",
    });
  });

  test("runs it from a temporary file, and says so", async () => {
    const { exitCode, stderr } = await anyproc(["emrun", "--verbose", "--temp-file", scriptFile()]);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(new RegExp(`SHA-256 ${digest}, in /.*/${digest}-`));
  });

  test("prints a JSON document", async () => {
    const { exitCode, stdout } = await anyproc(["emrun", "--json", scriptFile()], { input: "in\n" });
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      digest,
      exitCode: 3,
      signal: null,
      stdout: "0 \nin\n",
      stderr: "err\n",
    });
  });

  test("output that is too much for a JSON document ends the payload", async () => {
    const outcome = await anyproc(["emrun", "--json", "/bin/cat"], { input: "x".repeat(105_000_000) });
    expect(outcome.exitCode).toBe(125);
    expect(JSON.parse(outcome.stdout)).toMatchObject({ error: { code: "ANYPROC_OUTPUT_LIMIT" } });
    expect(outcome.stderr).toMatch(/^anyproc: \/bin\/cat: more than 104857600 bytes .*: run it without --json\n$/);
  });

  test.each([
    { allowed: true, args: [] },
    { allowed: false, args: ["--default", "deny"] },
    { allowed: true, args: ["--default", "deny", "--allow", digest] },
    { allowed: true, args: ["--allow", digest.toUpperCase()] },
    { allowed: false, args: ["--allow", "0".repeat(64)] },
    { allowed: true, args: ["--allow", "0".repeat(64), "--default", "allow"] },
    { allowed: false, args: ["--deny", digest] },
    { allowed: false, args: ["--deny", digest, "--allow", digest] },
  ])("a policy of $args: allowed is $allowed", async ({ allowed, args }) => {
    const { exitCode, stdout, stderr } = await anyproc(["emrun", ...args, scriptFile()]);
    expect({ exitCode, stdout }).toEqual(allowed ? { exitCode: 3, stdout: "0 \n" } : { exitCode: 126, stdout: "" });
    if (!allowed) expect(stderr).toContain(`/script: emrun: deny digest ${digest}`);
  });

  test("digests come from files of sha256sum's", async () => {
    const sums = join(temporaryDirectory(), "SHA256SUMS");
    writeFileSync(sums, `# trusted\n${digest}  script\n`);
    expect(await anyproc(["emrun", "--allow", sums, scriptFile()])).toMatchObject({ exitCode: 3 });
    expect(await anyproc(["emrun", "--deny", sums, scriptFile()])).toMatchObject({ exitCode: 126 });
  });

  test.each([
    [["/no/such/file"], 127, "anyproc: /no/such/file: no such file: name an executable or a script\n"],
    [["/"], 126, "anyproc: /: cannot be read (EISDIR): name an executable or a script\n"],
    [
      ["--allow", "f00", "x"],
      125,
      /^anyproc: --allow f00: .*give 64 hexadecimal digits, or a file that sha256sum wrote\n$/,
    ],
    [["--default", "maybe", "x"], 125, /^anyproc: emrun: option '--default <verdict>' argument 'maybe' is invalid/],
    [["--nonsense"], 125, /unknown option '--nonsense'/],
    [[], 125, /missing required argument 'file'/],
  ])("emrun %j ends with %i", async (args, exitCode, message) => {
    const outcome = await anyproc(["emrun", ...args]);
    expect(outcome).toMatchObject({ exitCode, stdout: "" });
    expect(outcome.stderr).toMatch(message);
  });

  test("what cannot be executed is 126, and nothing of it runs", async () => {
    const file = join(temporaryDirectory(), "text");
    writeFileSync(file, "echo ran\n");
    chmodSync(file, 0o755);
    const outcome = await anyproc(["emrun", file]);
    expect(outcome).toMatchObject({ exitCode: 126, stdout: "" });
    expect(outcome.stderr).toMatch(/^anyproc: \/.*\/text: .*text without a #! line/);
    const empty = await anyproc(["emrun", "-"], { input: "" });
    expect(empty).toMatchObject({ exitCode: 126, stdout: "" });
    expect(empty.stderr).toMatch(/^anyproc: standard input: payload is empty/);
  });

  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
    ["SIGHUP", 129],
  ] as const)("%s reaches the payload, and anyproc ends as it does", async (signal, exitCode) => {
    const file = join(temporaryDirectory(), "sleeper");
    writeFileSync(file, "#!/bin/sh\necho ready\nexec sleep 1000\n");
    const child = startAnyproc(["emrun", file]);
    await once(child.stdout as NodeJS.ReadableStream, "data");
    child.kill(signal);
    await once(child, "exit");
    expect(child.exitCode).toBe(exitCode);
  });
});
