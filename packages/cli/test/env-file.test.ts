import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert, asyncProperty, dictionary, string, stringMatching } from "fast-check";
import { expect, test } from "vitest";
import { readEnvFile } from "../src/run/env-file.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";

async function read(content: string | Uint8Array): Promise<Record<string, string>> {
  const file = join(temporaryDirectory(), "env");
  writeFileSync(file, content);
  return readEnvFile(file);
}

test.each([
  ["nothing", "", {}],
  ["comments and blank lines", "# a\n\n   \n  # b\nA=1\n", { A: "1" }],
  ["a last line without its end", "A=1", { A: "1" }],
  ["an empty value", "A=\n", { A: "" }],
  ["values as they are: quotes, blanks, #, =", "A=\"x\" # y = 'z' \n", { A: "\"x\" # y = 'z' " }],
  ["indented names", "  A=1\n", { A: "1" }],
  ["lines that end as on Windows", "A=1\r\nB=2\r\n", { A: "1", B: "2" }],
  ["a byte order mark", "\uFEFFA=1\n", { A: "1" }],
  ["names that are no shell names", "a.b-c=1\n", { "a.b-c": "1" }],
  ["the last of several", "A=1\nA=2\n", { A: "2" }],
  ["variables that are not set here", "ANYPROC_TEST_UNSET\n", {}],
])("reads %s", async (_what, content, expected) => {
  expect(await read(content)).toEqual(expected);
});

test("passes on what is set here", async () => {
  process.env["ANYPROC_TEST_SET"] = "yes";
  try {
    expect(await read("ANYPROC_TEST_SET\n")).toEqual({ ANYPROC_TEST_SET: "yes" });
  } finally {
    delete process.env["ANYPROC_TEST_SET"];
  }
});

test.each([
  ["A=1\n=2\n", /line 2: there is no name/],
  ["A B=1\n", /line 1: "A B" holds white space/],
  ["A B\n", /line 1: "A B" holds white space/],
  ["A=1\nB=\0\n", /line 2: holds a NUL byte/],
  [Uint8Array.of(0x41, 0x3d, 0xff), /is not UTF-8 text/],
])("refuses %j", async (content, message) => {
  await expect(read(content)).rejects.toThrow(message);
});

test("refuses a directory", async () => {
  const directory = temporaryDirectory();
  await expect(readEnvFile(directory)).rejects.toThrow(`--env-file ${directory}: cannot be read (EISDIR`);
});

test("gives back what was written", async () => {
  const name = stringMatching(/^[A-Za-z_][A-Za-z0-9_]*$/);
  const value = string({ unit: "grapheme" }).filter((text) => !/[\0\n\r]/.test(text));
  const file = join(temporaryDirectory(), "env");
  await assert(
    asyncProperty(dictionary(name, value, { noNullPrototype: true }), async (variables) => {
      const lines = Object.entries(variables).map(([key, text]) => `${key}=${text}\n`);
      writeFileSync(file, lines.join(""));
      expect(await readEnvFile(file)).toEqual(variables);
    }),
  );
});
