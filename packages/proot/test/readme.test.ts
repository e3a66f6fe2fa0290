import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { engineIsMissing } from "./engine-is-missing.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
const examples = Array.from(readme.matchAll(/```ts\n(.*?)```/gs), ([, example = ""], index) => ({ example, index }));

describe.skipIf(engineIsMissing)("the README's examples run, and print what they say", () => {
  test("there are two", () => expect(examples).toHaveLength(2));

  test.each(examples)("$index", async ({ example, index }) => {
    const file = new URL(`./readme-example-${index}.mjs`, import.meta.url);
    await writeFile(file, example);
    onTestFinished(() => rm(file));
    const { stdout } = await promisify(execFile)(process.execPath, [file.pathname]);
    const promised = Array.from(example.matchAll(/^\/\/ (.*)$/gm), (match) => match[1]);
    expect(promised.length).toBeGreaterThan(0);
    expect(stdout.trim().split("\n")).toEqual(promised);
  });
});
