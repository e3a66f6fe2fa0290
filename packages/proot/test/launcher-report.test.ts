import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { readReport, reportError } from "../src/launcher-report.ts";

test("no line means that the program runs", async () => {
  expect(await readReport(Readable.from([]))).toBeUndefined();
});

test("a line names code, errno and object, which may hold spaces and newlines", async () => {
  expect(await readReport(Readable.from(["cwd 2 /a b", "\nc\n"]))).toEqual({
    code: "cwd",
    errno: 2,
    object: "/a b\nc",
  });
});

test.each([
  ["rootfs", "ANYPROC_ROOTFS_NOT_FOUND"],
  ["cwd", "ANYPROC_CWD_NOT_FOUND"],
  ["seccomp", "ANYPROC_ENGINE_REFUSED"],
  ["too-long", "ANYPROC_ARGUMENTS_TOO_LONG"],
  ["internal", "ANYPROC_START_FAILED"],
])("%s becomes %s", (code, expected) => {
  expect(reportError({ code, errno: 1, object: "x" })).toMatchObject({ code: expected });
});

test.each(["not-found", "not-executable", "interpreter", "wrong-architecture"])(
  "%s has an exit code instead",
  (code) => {
    expect(reportError({ code, errno: 2, object: "x" })).toBeUndefined();
  },
);
