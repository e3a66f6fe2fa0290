import { type Environment, type FileSystem, systemErrorCode } from "@anyproc/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Suite } from "./subject.ts";
import { bytesOf, run, sh, write } from "./support.ts";

export function fileTests(suite: Suite): void {
  describe("files", () => {
    let directory = "";

    beforeAll(async () => {
      if (suite.environment.capabilities.files)
        directory = (await sh(suite, 'cd "$(mktemp -d)" && pwd -P')).stdout.trim();
    });
    afterAll(async () => {
      if (directory !== "") await sh(suite, 'rm -rf "$1"', directory);
    });

    function files(skip: (condition: boolean, note: string) => void): FileSystem {
      const { capabilities, fs }: Environment = suite.environment;
      skip(!capabilities.files || !fs, "capabilities.files is false");
      return fs as FileSystem;
    }

    test("that are written can be read, here and by programs", async ({ skip }) => {
      const fs = files(skip);
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
      await fs.writeFile(`${directory}/written`, bytes);
      expect(await fs.readFile(`${directory}/written`)).toEqual(bytes);
      expect(Buffer.from((await run(suite, ["cat", `${directory}/written`])).stdoutBytes)).toEqual(bytes);
    });

    test("that programs write can be read", async ({ skip }) => {
      const fs = files(skip);
      await sh(suite, 'echo "from a program" >"$1/theirs"', directory);
      expect((await fs.readFile(`${directory}/theirs`)).toString()).toBe("from a program\n");
    });

    test("replace what was there before", async ({ skip }) => {
      const fs = files(skip);
      await fs.writeFile(`${directory}/replaced`, "a long first text");
      await fs.writeFile(`${directory}/replaced`, "short");
      expect((await fs.readFile(`${directory}/replaced`)).toString()).toBe("short");
    });

    test("have the mode they are given", async ({ skip }) => {
      const fs = files(skip);
      await fs.writeFile(`${directory}/mode`, "", { mode: 0o600 });
      expect((await fs.stat(`${directory}/mode`)).mode & 0o777).toBe(0o600);
      await fs.chmod(`${directory}/mode`, 0o754);
      expect((await fs.stat(`${directory}/mode`)).mode & 0o777).toBe(0o754);
    });

    test("may be large, as streams", async ({ skip }) => {
      const fs = files(skip);
      const chunk = Buffer.alloc(64 * 1024, "0123456789abcdef");
      const sink = fs.createWriteStream(`${directory}/large`);
      for (let index = 0; index < 64; index += 1) await write(sink, chunk);
      await new Promise<void>((resolve, reject) => sink.once("error", reject).end(resolve));
      const read = await bytesOf(fs.createReadStream(`${directory}/large`));
      expect(read.length).toBe(64 * chunk.length);
      expect(read.subarray(-16).toString()).toBe("0123456789abcdef");
    });

    test("are listed by name, hidden and odd ones too", async ({ skip }) => {
      const fs = files(skip);
      const names = [".hidden", "größe 🙂", 'it\'s a "name"', "new\nline"];
      await fs.mkdir(`${directory}/listed`);
      for (const name of names) await fs.writeFile(`${directory}/listed/${name}`, "");
      expect((await fs.readdir(`${directory}/listed`)).sort()).toEqual(names.sort());
    });

    test("say what they are", async ({ skip }) => {
      const fs = files(skip);
      await fs.writeFile(`${directory}/plain`, "12345");
      await fs.symlink("plain", `${directory}/link`);
      const plain = await fs.stat(`${directory}/plain`);
      expect([plain.isFile(), plain.isDirectory(), plain.size]).toEqual([true, false, 5]);
      expect((await fs.stat(directory)).isDirectory()).toBe(true);
      expect((await fs.lstat(`${directory}/link`)).isSymbolicLink()).toBe(true);
      expect((await fs.stat(`${directory}/link`)).size).toBe(5);
      expect(await fs.readlink(`${directory}/link`)).toBe("plain");
      expect(Math.abs(plain.mtimeMs - Date.now())).toBeLessThan(24 * 60 * 60 * 1000);
    });

    test("keep dangling symlinks as they are", async ({ skip }) => {
      const fs = files(skip);
      await fs.symlink("/nowhere/at all", `${directory}/dangling`);
      expect(await fs.readlink(`${directory}/dangling`)).toBe("/nowhere/at all");
      await expect(fs.stat(`${directory}/dangling`)).rejects.toMatchObject({ code: "ENOENT" });
    });

    test("can be renamed over others", async ({ skip }) => {
      const fs = files(skip);
      await fs.writeFile(`${directory}/from`, "new");
      await fs.writeFile(`${directory}/to`, "old");
      await fs.rename(`${directory}/from`, `${directory}/to`);
      expect((await fs.readFile(`${directory}/to`)).toString()).toBe("new");
      await expect(fs.lstat(`${directory}/from`)).rejects.toMatchObject({ code: "ENOENT" });
    });

    test("live in directories that are made with their parents and removed with their contents", async ({ skip }) => {
      const fs = files(skip);
      await fs.mkdir(`${directory}/a/b/c`, { recursive: true });
      await fs.writeFile(`${directory}/a/b/c/file`, "x");
      await fs.rm(`${directory}/a`, { recursive: true });
      await expect(fs.stat(`${directory}/a`)).rejects.toMatchObject({ code: "ENOENT" });
      await fs.rm(`${directory}/a`, { recursive: true, force: true });
    });

    test("fail with the codes of node:fs", async ({ skip }) => {
      const fs = files(skip);
      const codes: (string | undefined)[] = [];
      for (const attempt of [
        () => fs.readFile(`${directory}/missing`),
        () => fs.readdir(`${directory}/missing`),
        () => fs.mkdir(directory),
        () => fs.rm(`${directory}/missing`),
      ]) {
        codes.push(await attempt().then(() => "no error", systemErrorCode));
      }
      expect(codes).toEqual(["ENOENT", "ENOENT", "EEXIST", "ENOENT"]);
    });
  });
}
