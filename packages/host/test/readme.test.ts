import { readFile } from "node:fs/promises";
import * as core from "@anyproc/core";
import * as host from "@anyproc/host";
import { expect, test } from "vitest";
import { exampleIn, runExample } from "./run-example.ts";
import { temporaryDirectory } from "./temporary.ts";

const modules = { "@anyproc/core": core, "@anyproc/host": host };

test("the host's example prints what it says", async () => {
  const example = await exampleIn(new URL("../README.md", import.meta.url));
  // What lies in /tmp may be somebody else's.
  const code = example.replaceAll('"/tmp/', `"${await temporaryDirectory()}/`);
  expect(code).not.toBe(example);
  expect(await runExample(code, modules)).toEqual(Array.from(code.matchAll(/\/\/ (.*)$/gm), (match) => match[1]));
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
