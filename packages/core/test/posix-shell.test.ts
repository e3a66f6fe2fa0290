import { spawnSync } from "node:child_process";
import { decodeUtf8, execScript, quoteForShell } from "@anyproc/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const printBytes = "for (const a of process.argv.slice(1)) console.log(Buffer.from(a).toString('hex'))";
const text = fc.string({ unit: "grapheme" }).filter((value) => !value.includes("\0"));

describe.runIf(process.platform !== "win32")("through a real sh", () => {
  test("quoted text comes back as it was", () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (values) => {
        const script = `printf '%s\\0' ${values.map(quoteForShell).join(" ")}`;
        expect(spawnSync("sh", ["-c", script]).stdout.toString()).toBe(values.map((value) => `${value}\0`).join(""));
      }),
      { numRuns: 50 },
    );
  });

  test("execScript passes text and spells out bytes that are not text, final newlines included", () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 20 }).filter((value) => !value.includes(0));
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1, maxLength: 5 }), (values) => {
        const script = execScript(["printf", "%s\\0", ...values, new Uint8Array([0xff, 10, 10])]);
        const expected = [...values, new Uint8Array([0xff, 10, 10])].map((value) => Buffer.from([...value, 0]));
        expect(spawnSync("sh", ["-c", script]).stdout).toEqual(Buffer.concat(expected));
      }),
      { numRuns: 50 },
    );
  });

  test("execScript replaces the shell", () => {
    const { stdout } = spawnSync("sh", ["-c", execScript([process.execPath, "-e", printBytes, "é\n", ""])]);
    expect(stdout.toString()).toBe("c3a90a\n\n");
  });
});

test("decodeUtf8 tells text from bytes, and keeps a byte order mark", () => {
  expect(decodeUtf8(new Uint8Array([0xef, 0xbb, 0xbf, 0x61]))).toBe("\ufeffa");
  expect(decodeUtf8(new Uint8Array([0xff]))).toBeUndefined();
});
