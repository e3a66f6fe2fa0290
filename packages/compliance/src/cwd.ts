import { describe, expect, test } from "vitest";
import type { Suite } from "./subject.ts";
import { expectCode, run, sh } from "./support.ts";

export function cwdTests(suite: Suite): void {
  async function cwdOf(cwd: string): Promise<string> {
    const { stdout, exitCode } = await run(suite, { argv: suite.script('printf %sx "$(pwd)"'), cwd });
    expect(exitCode).toBe(0);
    return stdout.slice(0, -1);
  }

  describe("working directory", () => {
    test("is the one asked for", async () => {
      expect(await cwdOf("/")).toBe("/");
      expect(await cwdOf("/tmp")).toBe((await sh(suite, 'cd /tmp && printf %s "$(pwd -P)"')).stdout);
    });

    test("may hold spaces, quotes and unicode", async () => {
      const made = await sh(
        suite,
        'd=$(mktemp -d) && mkdir "$d/$1" && cd "$d/$1" && printf %s "$(pwd -P)"',
        "it's a $HOME größe",
      );
      expect(made.stdout).toMatch(/größe$/);
      expect(await cwdOf(made.stdout)).toBe(made.stdout);
      await sh(suite, 'rmdir "$1" && rmdir "${1%/*}"', made.stdout);
    });

    test("is where a relative program is looked for", async () => {
      const path = (await sh(suite, "command -v cat")).stdout.trim();
      const cwd = path.slice(0, path.lastIndexOf("/")) || "/";
      const { stdout, stderr } = await run(suite, { argv: ["./cat"], cwd }, { input: "found" });
      expect({ stdout, stderr }).toEqual({ stdout: "found", stderr: "" });
    });

    test("that does not exist is an error of its own, which names it", async () => {
      const start = (): unknown => run(suite, { argv: suite.script("exit 0"), cwd: "/nonexistent/directory" });
      await expectCode(start, "ANYPROC_CWD_NOT_FOUND");
      await expect(start()).rejects.toThrow("/nonexistent/directory");
    });

    test("that is a file is the same error", async () => {
      const file = (await sh(suite, "mktemp")).stdout.trim();
      await expectCode(() => run(suite, { argv: suite.script("exit 0"), cwd: file }), "ANYPROC_CWD_NOT_FOUND");
      await sh(suite, 'rm "$1"', file);
    });

    test("with a NUL byte is refused before anything runs", () =>
      expectCode(() => suite.environment.create({ argv: ["pwd"], cwd: "/\0" }), "ANYPROC_INVALID_COMMAND"));
  });
}
