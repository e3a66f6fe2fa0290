import { describe, expect, test } from "vitest";
import type { Suite } from "./subject.ts";
import { expectCode, run } from "./support.ts";

// What a shell sets for itself, or leaves behind when it starts a program.
const shellsOwn: ReadonlySet<string> = new Set(["PWD", "OLDPWD", "SHLVL", "_"]);

export function envTests(suite: Suite): void {
  async function printed(script: string, env: Record<string, string | undefined>): Promise<string> {
    const { stdout, stderr, exitCode } = await run(suite, { argv: suite.script(script), env });
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    return stdout;
  }

  describe("variables", () => {
    test("are added to the environment's own", async () => {
      const own = await printed('printf %s "$PATH"', {});
      expect(own).not.toBe("");
      expect(await printed('printf %s "$ADDED:$PATH"', { ADDED: "yes" })).toBe(`yes:${own}`);
    });

    test("override the environment's own", async () => {
      expect(await printed('printf %s "$HOME"', { HOME: "/elsewhere" })).toBe("/elsewhere");
    });

    test("that are undefined remove the environment's own", async () => {
      expect(await printed('printf %s "${TZ-unset}"', { TZ: undefined })).toBe("unset");
      const { environment } = suite;
      const names = (await run(suite, ["env"])).stdout.split("\n").map((line) => line.split("=")[0] ?? "");
      const removable = names.filter((name) => /^[A-Z]+$/.test(name) && name !== "PATH" && !shellsOwn.has(name));
      const env = Object.fromEntries(removable.map((name) => [name, undefined]));
      const left = (await run(suite, { argv: ["env"], env })).stdout.split("\n").map((line) => line.split("=")[0]);
      expect(
        left.filter((name) => removable.includes(name ?? "")),
        environment.name,
      ).toEqual([]);
    });

    test("are all there is with extendEnv false", async () => {
      const path = await printed('printf %s "$PATH"', {});
      const { stdout } = await run(suite, { argv: ["env"], env: { PATH: path, ONLY: "1" }, extendEnv: false });
      const names = stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split("=")[0] ?? "");
      expect(names.filter((name) => !shellsOwn.has(name)).sort()).toEqual(["ONLY", "PATH"]);
    });

    test("keep quotes, newlines, equals signs and unicode", async () => {
      const value = " a=b 'c' \"d\" $HOME `id` \\ \n\nüñ🙂 ";
      expect(await printed('printf %s "$VALUE"', { VALUE: value })).toBe(value);
    });

    test("may be empty, which is not unset", async () => {
      expect(await printed('printf %s "${EMPTY+set}"', { EMPTY: "" })).toBe("set");
    });

    test("belong to one process only", async () => {
      await printed(":", { MINE: "1" });
      expect(await printed('printf %s "${MINE-unset}"', {})).toBe("unset");
    });

    test("with impossible names or values are refused before anything runs", async () => {
      for (const env of [{ "": "x" }, { "A=B": "x" }, { "A\0": "x" }, { A: "x\0" }]) {
        await expectCode(() => suite.environment.create({ argv: ["env"], env }), "ANYPROC_INVALID_COMMAND");
      }
    });

    test("that exceed what the system takes are an error of their own", async () => {
      const env = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`V${index}`, "x".repeat(100_000)]));
      await expectCode(() => run(suite, { argv: suite.script("exit 0"), env }), "ANYPROC_ARGUMENTS_TOO_LONG");
    });
  });
}
