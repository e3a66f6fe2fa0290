import { describe, expect, test } from "vitest";
import type { Suite } from "./subject.ts";
import { expectCode, run, sh } from "./support.ts";

// printf repeats its format for every argument, and NUL is the one byte that no argument can hold.
const printArguments = "printf '%s\\0' \"$@\"";

export function argvTests(suite: Suite): void {
  async function received(...args: (string | Uint8Array)[]): Promise<Buffer> {
    const { stdoutBytes, stderr, exitCode } = await sh(suite, printArguments, ...args);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    return Buffer.from(stdoutBytes);
  }

  async function expectUnchanged(...args: string[]): Promise<void> {
    expect(await received(...args)).toEqual(Buffer.from(args.map((arg) => `${arg}\0`).join("")));
  }

  describe("arguments", () => {
    test("with spaces and tabs stay one argument", () => expectUnchanged("a b", "  c  ", "\td\t"));
    test("that are empty stay there", () => expectUnchanged("", "x", "", ""));
    test("keep quotes and backslashes", () => expectUnchanged(`'`, `"`, `'"'`, "\\", "a\\nb", "it's", `\\'`));
    test("keep newlines, at the end too", () => expectUnchanged("a\nb", "\n", "a\r\n", "\n\n"));
    test("are not expanded by any shell", () =>
      expectUnchanged("$HOME", "$(id)", "`id`", "*", "~", "{a,b}", "a;b", "a&&b", "|", ">x", "<x", "#", "!", "$$"));
    test("that look like options stay in place", () => expectUnchanged("-n", "--", "-", "--help", "-c"));
    test("are passed as UTF-8", () => expectUnchanged("größe", "日本語", "🙂", "e\u0301", "\u202e", "\ufeff"));
    test("keep control characters", () => expectUnchanged("\x01\x02\x1b[0m\x7f", "\b", "\x0c"));
    test("of 100 KiB arrive whole", () => expectUnchanged("x".repeat(100 * 1024), "last"));
    test("may be a thousand", () =>
      expectUnchanged(...Array.from({ length: 1000 }, (_, index) => `argument ${index}`)));

    test("keep bytes that are not text", async ({ skip }) => {
      skip(!suite.environment.capabilities.binaryArguments, "capabilities.binaryArguments is false");
      const bytes = Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1));
      expect(await received(bytes, "text", Buffer.from([0xff, 0x0a]))).toEqual(
        Buffer.concat([bytes, Buffer.from("\0text\0"), Buffer.from([0xff, 0x0a, 0])]),
      );
    });

    test("that are not text are refused where they cannot be passed", async ({ skip }) => {
      skip(suite.environment.capabilities.binaryArguments, "capabilities.binaryArguments is true");
      await expectCode(() => suite.environment.create(["printf", Buffer.from([0xff])]), "ANYPROC_UNSUPPORTED");
    });

    test("that exceed what the system takes are an error of their own", async () => {
      const args = Array.from({ length: 400 }, () => "x".repeat(100_000));
      await expectCode(() => run(suite, suite.script("exit 0", ...args)), "ANYPROC_ARGUMENTS_TOO_LONG");
    });

    test("with a NUL byte are refused before anything runs", async () => {
      await expectCode(() => suite.environment.create(["printf", "a\0b"]), "ANYPROC_INVALID_COMMAND");
      if (!suite.environment.capabilities.binaryArguments) return;
      await expectCode(() => suite.environment.create(["printf", Buffer.from([65, 0])]), "ANYPROC_INVALID_COMMAND");
    });

    test("must name a program", async () => {
      await expectCode(() => suite.environment.create([]), "ANYPROC_INVALID_COMMAND");
      await expectCode(() => suite.environment.create([""]), "ANYPROC_INVALID_COMMAND");
    });

    test("are refused as a rejection by spawn()", async () => {
      const spawned = suite.environment.spawn([]);
      await expectCode(() => spawned, "ANYPROC_INVALID_COMMAND");
    });
  });
}
