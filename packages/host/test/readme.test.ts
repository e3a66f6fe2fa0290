import { readFile, rm } from "node:fs/promises";
import * as core from "@anyproc/core";
import * as host from "@anyproc/host";
import { expect, test } from "vitest";
import { exampleIn, runExample } from "./run-example.ts";

const modules = { "@anyproc/core": core, "@anyproc/host": host };

test("the host's example prints what it says", async () => {
  const code = await exampleIn(new URL("../README.md", import.meta.url));
  try {
    expect(await runExample(code, modules)).toEqual(Array.from(code.matchAll(/\/\/ (.*)$/gm), (match) => match[1]));
  } finally {
    for (const directory of code.matchAll(/"(\/tmp\/[^"]+)"/g))
      await rm(directory[1] ?? "", { recursive: true, force: true });
  }
});

test("the example of core runs on the host", async () => {
  const code = await exampleIn(new URL("../../core/README.md", import.meta.url));
  expect(await runExample(code, modules)).toEqual([
    "no shell, no quoting: $HOME; |",
    "two words",
    "got one",
    "got two",
    "0",
  ]);
});

test("the example of the compliance suite is how the host runs it", async () => {
  const code = await exampleIn(new URL("../../compliance/README.md", import.meta.url));
  expect(await readFile(new URL("compliance.test.ts", import.meta.url), "utf8")).toBe(code);
});
