import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { engineIsMissing } from "./engine-is-missing.ts";

test.skipIf(engineIsMissing)("the README's example runs, and prints what it says", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const file = new URL("./readme-example.mjs", import.meta.url);
  await writeFile(file, example);
  onTestFinished(() => rm(file));
  const { stdout } = await promisify(execFile)(process.execPath, [file.pathname]);
  const promised = Array.from(example.matchAll(/^\/\/ (.*)$/gm), (match) => match[1]);
  expect(promised.length).toBeGreaterThan(0);
  expect(stdout.trim().split("\n")).toEqual(promised);
});
