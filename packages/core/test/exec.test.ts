import { Readable } from "node:stream";
import { type Command, type Environment, type ExecOptions, ExitError, exec } from "@anyproc/core";
import { expect, test } from "vitest";
import { localEnvironment, nodeProgram } from "./local-environment.ts";

const environment = localEnvironment();

test("a success carries both streams, as text and as bytes", async () => {
  const result = await exec(environment, nodeProgram("console.log('out'); console.error('err')"));
  expect(result).toMatchObject({ exitCode: 0, signal: null, stdout: "out\n", stderr: "err\n", failed: false });
  expect(result.stdoutBytes).toEqual(Buffer.from("out\n"));
});

test("a failure throws an error that is the result", async () => {
  const failure = await exec(environment, nodeProgram("console.error('why'); process.exit(7)")).catch((error) => error);
  expect(failure).toBeInstanceOf(ExitError);
  expect(failure).toMatchObject({ code: "ANYPROC_EXIT", exitCode: 7, stderr: "why\n", failed: true });
  expect(failure.message).toMatch(/exited with 7: why$/);
});

test("reject: false returns the failure", async () => {
  expect(await exec(environment, ["no-such-program-here"], { reject: false })).toMatchObject({
    exitCode: 127,
    stderr: "anyproc: no-such-program-here: command not found\n",
    failed: true,
  });
});

test.each([
  ["text", "héllo"],
  ["bytes", new TextEncoder().encode("héllo")],
  ["a stream", Readable.from([Buffer.from("hé"), Buffer.from("llo")])],
])("input may be %s", async (_what, input) => {
  const result = await exec(environment, nodeProgram("process.stdin.pipe(process.stdout)"), { input });
  expect(result.stdout).toBe("héllo");
});

test("without input, stdin is at its end", async () => {
  const program = nodeProgram("process.stdin.on('end', () => console.log('end')).resume()");
  for (const command of [program, { argv: program, stdin: undefined } as unknown as Command]) {
    expect((await exec(environment, command)).stdout).toBe("end\n");
  }
});

test.each<[string, unknown, Command | readonly string[], unknown]>([
  ["an environment that was not awaited", Promise.resolve(environment), ["true"], {}],
  ["no environment", undefined, ["true"], {}],
  ["a number as input", environment, ["true"], { input: 3 }],
  ["null as input", environment, ["true"], { input: null }],
  ["input that no program would read", environment, { argv: ["true"], stdin: "null" }, { input: "x" }],
  ["a timeout in text", environment, ["true"], { timeoutMs: "100" }],
])("%s is refused by name, as JavaScript may pass it", async (_what, where, command, options) => {
  await expect(exec(where as Environment, command, options as ExecOptions)).rejects.toMatchObject({
    code: "ANYPROC_INVALID_OPTION",
  });
});

test("more output than allowed ends the program with a clear error", async () => {
  const endless = nodeProgram(
    "const w = () => { while (process.stdout.write('x'.repeat(65536))); process.stdout.once('drain', w) }; w()",
  );
  await expect(exec(environment, endless, { maxOutputBytes: 1_000_000 })).rejects.toMatchObject({
    code: "ANYPROC_OUTPUT_LIMIT",
    message: expect.stringContaining("maxOutputBytes"),
  });
});

test("an abort ends the program, and its reason is the cause", async () => {
  const controller = new AbortController();
  const running = exec(environment, nodeProgram("setInterval(() => {}, 1000)"), { signal: controller.signal });
  controller.abort(new Error("changed my mind"));
  await expect(running).rejects.toMatchObject({ aborted: true, cause: new Error("changed my mind") });
});

test("a signal that is aborted already starts nothing, and its reason is thrown", async () => {
  const reason = new Error("too late");
  await expect(exec(environment, ["true"], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test("an input that fails ends the program, and its error is the cause of what is thrown", async () => {
  const failure = new Error("disk on fire");
  const input = new Readable({
    read(): void {
      this.push("half");
      this.destroy(failure);
    },
  });
  const program = nodeProgram("process.stdin.pipe(process.stdout)");
  const thrown = { code: "ANYPROC_INPUT_FAILED", cause: failure, message: expect.stringContaining("disk on fire") };
  await expect(exec(environment, program, { input, reject: false })).rejects.toMatchObject(thrown);
  await expect(exec(environment, program, { input })).rejects.toMatchObject(thrown);
});

test("options that cannot be are named", async () => {
  await expect(exec(environment, ["true"], { timeoutMs: -1 })).rejects.toMatchObject({
    code: "ANYPROC_INVALID_OPTION",
    message: expect.stringContaining("timeoutMs"),
  });
  await expect(exec(environment, ["true"], { maxOutputBytes: Number.NaN })).rejects.toMatchObject({
    code: "ANYPROC_INVALID_OPTION",
    message: expect.stringContaining("maxOutputBytes"),
  });
  await expect(exec(environment, ["true"], { killSignal: "SIGNOPE" as never })).rejects.toMatchObject({
    code: "ANYPROC_INVALID_OPTION",
  });
});
