import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { makeImage, writeLayout } from "./fixtures/image.ts";
import { temporaryDirectory } from "./fixtures/temporary-directory.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("the README's example does what it says", () => {
  const [, example = ""] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  const [, expected = ""] = /^\/\/ (.*)$/m.exec(example) ?? [];
  const directory = temporaryDirectory();
  const layers = [
    [
      { path: "bin/sh", content: "x" },
      { path: "etc/motd", content: "y" },
    ],
  ];
  writeLayout(join(directory, "layout"), { image: makeImage(layers, { config: { Cmd: ["sh"] } }) });
  // The package finds itself by name, as it would where it is installed.
  const installed = join(directory, "node_modules/@anyproc");
  mkdirSync(installed, { recursive: true });
  symlinkSync(fileURLToPath(new URL("..", import.meta.url)), join(installed, "registry-extract"));
  const env = { ...process.env, TMPDIR: directory, ANYPROC_HOME: join(directory, "home") };
  const options = { cwd: directory, encoding: "utf8", env } as const;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", example], options);
  expect(output.trim()).toBe(expected);
});

test("every code that is raised is in the README", () => {
  const source = readFileSync(new URL("../src/errors.ts", import.meta.url), "utf8");
  const codes = source.match(/ANYPROC_[A-Z_]+/g) ?? [];
  expect(codes.length).toBeGreaterThan(10);
  for (const code of codes) expect(readme).toContain(`\`${code}\``);
});
