import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { checkArgumentsLength } from "../../src/remote-shell/index.ts";

const longest = 128 * 1024 - 1;

describe("checkArgumentsLength", () => {
  it("takes the longest string that Linux takes, in bytes and not in characters", () => {
    expect(() => checkArgumentsLength(["x".repeat(longest)])).not.toThrow();
    expect(() => checkArgumentsLength(["é".repeat(longest / 2 + 1)])).toThrow(/131072 bytes, 131071 fit/);
    expect(() => checkArgumentsLength([new Uint8Array(longest + 1)])).toThrow(/131072 bytes/);
  });

  it.runIf(process.platform === "linux")("agrees with execve(2) about one string", () => {
    expect(() => execFileSync("/bin/true", ["x".repeat(longest)])).not.toThrow();
    expect(() => execFileSync("/bin/true", ["x".repeat(longest + 1)])).toThrow(/E2BIG/);
  });

  it("counts what all strings need together, each with its end and its pointer", () => {
    const strings = Array.from({ length: 32 }, () => "x".repeat(65_000));
    expect(() => checkArgumentsLength(strings)).not.toThrow();
    expect(() => checkArgumentsLength([...strings, "x".repeat(20_000)])).toThrow(/2100297 bytes, 2097152 fit/);
  });
});
