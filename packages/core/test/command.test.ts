import { type Command, displayCommand, mergeEnv, programName, toCommand } from "@anyproc/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const invalid = expect.objectContaining({ code: "ANYPROC_INVALID_COMMAND" });

describe("toCommand", () => {
  test("takes an argv on its own", () => {
    expect(toCommand(["ls", "-l"])).toEqual({ argv: ["ls", "-l"] });
  });

  test.each([
    ["an empty argv", []],
    ["an empty program name", [""]],
    ["a NUL byte in text", ["echo", "a\0b"]],
    ["a NUL byte in bytes", ["echo", new Uint8Array([97, 0])]],
    ["what is neither text nor bytes", ["echo", 1 as unknown as string]],
  ])("refuses %s", (_what, argv) => {
    expect(() => toCommand(argv)).toThrow(invalid);
  });

  test.each(["", "A=B", "A\0"])("refuses %j as the name of a variable", (name) => {
    expect(() => toCommand({ argv: ["env"], env: { [name]: "x" } })).toThrow(invalid);
  });

  test("refuses a NUL byte in a variable's value and in cwd", () => {
    expect(() => toCommand({ argv: ["env"], env: { A: "\0" } })).toThrow(invalid);
    expect(() => toCommand({ argv: ["env"], cwd: "/\0" })).toThrow(invalid);
  });

  test.each<[string, unknown]>([
    ["nothing at all", null],
    ["a command line as text", "ls -l"],
    ["a number as a variable's value", { argv: ["env"], env: { PORT: 80 } }],
    ["a URL as cwd", { argv: ["pwd"], cwd: new URL("file:///") }],
    ["an unknown stream policy", { argv: ["cat"], stdin: "ignore" }],
    ["a negative user id", { argv: ["id"], user: { uid: -1 } }],
    ["an argv of text", { argv: "ls -l" }],
    ["a user id on its own, which would be ignored", { argv: ["id"], user: 1000 }],
    ["an empty user", { argv: ["id"], user: "" }],
    ["a terminal of no width", { argv: ["stty"], pty: { columns: 0 } }],
    ["a terminal that is too high", { argv: ["stty"], pty: { rows: 65_536 } }],
    ["half a column", { argv: ["stty"], pty: { columns: 80.5 } }],
    ["a group that is no number", { argv: ["id"], user: { uid: 0, gid: Number.NaN } }],
  ])("refuses %s, as JavaScript may pass it", (_what, command) => {
    expect(() => toCommand(command as Command)).toThrow(invalid);
  });
});

describe("mergeEnv", () => {
  const own = { A: "1", B: "2" };

  test("extends by default: adds, overrides, and removes what is undefined", () => {
    expect(mergeEnv(own, { env: { B: "3", C: "4", A: undefined } })).toEqual({ B: "3", C: "4" });
  });

  test("replaces when extendEnv is false", () => {
    expect(mergeEnv(own, { env: { C: "4" }, extendEnv: false })).toEqual({ C: "4" });
    expect(mergeEnv(own, { extendEnv: false })).toEqual({});
  });

  test("never changes its sources", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), fc.dictionary(fc.string(), fc.string()), (first, second) => {
        const before = JSON.stringify([first, second]);
        const merged = mergeEnv(first, { env: second });
        expect(JSON.stringify([first, second])).toBe(before);
        expect(merged).toEqual({ ...first, ...second });
      }),
    );
  });
});

describe("names for messages", () => {
  test("a command is shown as a line that could be pasted into a shell", () => {
    expect(displayCommand({ argv: ["git", "commit", "-m", "it's done", ""] })).toBe(`git commit -m 'it'\\''s done' ''`);
  });

  test("bytes are shown as text", () => {
    expect(programName({ argv: [new TextEncoder().encode("ls")] })).toBe("ls");
  });
});
