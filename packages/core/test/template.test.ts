import { $, parseTemplate, type TemplateValue } from "@anyproc/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { localEnvironment, nodeProgram } from "./local-environment.ts";

function parse(text: TemplateStringsArray, ...values: readonly TemplateValue[]): unknown[] {
  return parseTemplate(text.raw, values);
}

describe("parseTemplate", () => {
  test("splits at white space, line breaks included", () => {
    expect(parse`  git   log
      --oneline `).toEqual(["git", "log", "--oneline"]);
  });

  test("quotes group, a backslash takes the next character", () => {
    expect(parse`a "b c" 'd "e"' f\ g "h\"i" '' x''y`).toEqual(["a", "b c", 'd "e"', "f g", 'h"i', "", "xy"]);
  });

  test("a value is part of one argument, an array is one argument each", () => {
    expect(parse`cp ${"a b"} --to=${"c d"}e ${["f", "g h"]} x${[1, 2]}y ${""}`).toEqual([
      "cp",
      "a b",
      "--to=c de",
      "f",
      "g h",
      "x1",
      "2y",
      "",
    ]);
    expect(parse`ls ${[]}`).toEqual(["ls"]);
  });

  test("a backslash at the end of a line joins it with the next one", () => {
    expect(parse`ls -l \
      "two \
words" th\
ree`).toEqual(["ls", "-l", "two words", "three"]);
  });

  test.each([
    ["undefined", undefined],
    ["null", null],
    ["an array in an array", [["a"]]],
    ["the result of another command", { stdout: "a" }],
    ["a truth value", true],
  ])("%s is no argument", (_what, value) => {
    expect(() => parse`echo ${value as unknown as string} end`).toThrow(
      expect.objectContaining({ code: "ANYPROC_INVALID_COMMAND" }),
    );
  });

  test("whatever a value holds, it stays one argument", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(parse`echo ${value} end`).toEqual(["echo", value, "end"]);
      }),
    );
  });

  test("bytes stay bytes", () => {
    expect(parse`ls a${new Uint8Array([0xff])}`).toEqual(["ls", Buffer.from([97, 0xff])]);
  });

  test.each(["a | b", "a > b", "a & b", "a; b", "a < b"])("refuses the shell operator in %s", (text) => {
    expect(() => parseTemplate([text], [])).toThrow(expect.objectContaining({ code: "ANYPROC_INVALID_COMMAND" }));
  });

  test("refuses an open quote and what cannot be an argument", () => {
    expect(() => parseTemplate(["echo 'a"], [])).toThrow(/never closed/);
    expect(() => parse`echo ${{} as string}`).toThrow(/object cannot be an argument/);
  });
});

test("$ runs the command and takes the final newline off", async () => {
  const run = $(localEnvironment());
  const [node, flag, source] = nodeProgram("console.log(process.argv.slice(1))");
  const result = await run`${node} ${flag} ${source} "a b" ${"$HOME; rm"}`;
  expect(result.stdout).toBe("[ 'a b', '$HOME; rm' ]");
});
