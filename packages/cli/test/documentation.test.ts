import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { diagnose } from "@anyproc/proot";
import { describe, expect, test } from "vitest";
import { createProgram } from "../src/program.ts";
import { anyproc, anyprocArgv, startAnyproc } from "./support/anyproc.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const program = await createProgram(() => {});
const { ok: hasProot } = await diagnose();

describe.skipIf(process.platform === "win32")("the README's example", () => {
  const block = /```console\n([^`]*)```/.exec(readme)?.[1] ?? "";
  const steps = block
    .split(/^\$ /m)
    .slice(1)
    .map((step) => step.split(/\n(.*)/s) as [string, string]);

  test.each(steps.filter(([line]) => hasProot || !line.includes("--rootfs")))("%s", async (line, expected) => {
    const directory = temporaryDirectory();
    writeFileSync(
      join(directory, "anyproc"),
      `#!/bin/sh\nexec ${anyprocArgv.map((word) => `'${word}'`).join(" ")} "$@"\n`,
    );
    chmodSync(join(directory, "anyproc"), 0o755);
    const env = { ...process.env, PATH: `${directory}:${process.env["PATH"]}` };
    const shown = await new Promise((resolve) => {
      execFile("sh", ["-c", `(${line}) 2>&1`], { env }, (_error, stdout) => resolve(stdout));
    });
    expect(shown).toBe(expected);
  });

  test("has steps", () => expect(steps.length).toBeGreaterThan(2));
});

test.each([program, ...program.commands].map((command) => [command.name(), command] as const))(
  "every option of %s is in the README",
  (_name, command) => {
    for (const { short, long } of command.createHelp().visibleOptions(command)) {
      for (const flag of [short, long]) if (flag) expect(readme).toMatch(new RegExp(`\`${flag}[\` ]`));
    }
  },
);

test.each([[], ...program.commands.map((command) => [command.name()])])(
  "%s --help shows an example",
  async (...command) => {
    const { exitCode, stdout, stderr } = await anyproc([...command, "--help"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/\nExamples?:\n {2}\$ .*anyproc /);
  },
);

test.each([["--help"], ["help", "run"], ["--version"]])("nobody who reads %s is no failure", async (...args) => {
  const child = startAnyproc(args);
  child.stdout?.destroy();
  const [stderr] = await Promise.all([text(child.stderr as Readable), once(child, "close")]);
  expect({ stderr, exitCode: child.exitCode }).toEqual({ stderr: "", exitCode: 0 });
});

test("--version prints the package's", async () => {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  expect(await anyproc(["--version"])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: "" });
});
