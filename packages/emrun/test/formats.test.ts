import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatProblem } from "@anyproc/core/child-process";
import { describe, expect, test } from "vitest";
import { implementations } from "./implementations.ts";
import { elfHeader, script } from "./payloads.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const [native, foreign] = process.arch === "arm64" ? [183, 62] : [62, 183];
const foreignName = process.arch === "arm64" ? "x86_64" : "aarch64";

describe.each(implementations)("$name, of what cannot be executed", ({ functions }) => {
  test.each([
    ["text without #!", Buffer.from("echo never\n"), /text without a #! line.*#!\/bin\/sh/],
    ["an empty #! line", Buffer.from("#! \necho never\n"), /nothing after #!/],
    ["another architecture", elfHeader({ machine: foreign }), new RegExp(`built for ${foreignName}`)],
    ["an object file", elfHeader({ machine: native, type: 1 }), /not an executable one/],
    ["half an ELF header", elfHeader({ machine: native }).subarray(0, 20), /cut off/],
    ["other bytes", Buffer.from([0, 1, 2, 3]), /neither an executable/],
  ])("%s is exit code 126 with the reason", async (_what, payload, reason) => {
    const failure = { code: "ANYPROC_EMRUN_NOT_EXECUTABLE", exitCode: 126 };
    await expect(functions.run(payload)).rejects.toMatchObject({ ...failure, message: expect.stringMatching(reason) });
    await expect(functions.runBG(payload)).rejects.toMatchObject(failure);
    const result = await functions.run(payload, [], { reject: false });
    expect(result).toMatchObject({ exitCode: 126, signal: null, error: failure });
  });

  test("a missing interpreter is exit code 127, and named", async () => {
    const failure = { code: "ANYPROC_EMRUN_INTERPRETER_NOT_FOUND", exitCode: 127 };
    await expect(functions.do("#!/no/such/interpreter\n")).rejects.toMatchObject({
      ...failure,
      message: expect.stringContaining('"/no/such/interpreter"'),
    });
    await expect(functions.do("#!/bin/sh\r\necho\r\n")).rejects.toMatchObject({
      ...failure,
      message: expect.stringContaining('"/bin/sh\\r"'),
    });
  });

  test("an interpreter that cannot be executed is exit code 126", async () => {
    await expect(functions.do("#!/etc/passwd\n")).rejects.toMatchObject({ exitCode: 126 });
  });

  test.skipIf(process.getuid?.() === 0)(
    "a working directory that may not be entered is not the payload's fault (root may)",
    async () => {
      const directory = join(await temporaryDirectory(), "closed");
      await mkdir(directory);
      await chmod(directory, 0);
      await expect(functions.run(script(""), [], { cwd: directory })).rejects.toMatchObject({
        code: "ANYPROC_CWD_NOT_FOUND",
        message: expect.stringMatching(/may not be entered/),
      });
    },
  );

  test("a file is no working directory", async () => {
    const file = join(await temporaryDirectory(), "file");
    await writeFile(file, "");
    await expect(functions.run(script(""), [], { cwd: file })).rejects.toMatchObject({ code: "ANYPROC_CWD_NOT_FOUND" });
  });
});

test("formatProblem finds nothing wrong with what runs here", () => {
  expect(formatProblem(Buffer.from("#!/bin/sh\n"))).toBeUndefined();
  expect(formatProblem(Buffer.from("#! \t/bin/sh -e\n"))).toBeUndefined();
  expect(formatProblem(Buffer.from(elfHeader({ machine: native })))).toBeUndefined();
  expect(formatProblem(Buffer.from(elfHeader({ machine: native, type: 3 })))).toBeUndefined();
});
