import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { defineEnvironment, type Environment, exec, type RunningProgram } from "../src/index.ts";

/** An environment whose programs write some output and are then out of reach, in one way or another. */
function unreliable(output: string, program: Pick<RunningProgram, "exited" | "end">): Environment {
  return defineEnvironment({
    name: "unreliable",
    capabilities: {
      pty: false,
      inherit: false,
      signals: "all",
      user: false,
      files: false,
      binaryArguments: false,
      pid: "none",
      tree: "found",
      orphans: "live",
    },
    start: () => {
      const stdout = new PassThrough();
      stdout.end(output);
      return { stdin: null, stdout, stderr: null, signal: () => {}, ...program };
    },
  });
}

test("a program that was lost sight of has no exit code: whoever waits gets the error", async () => {
  const error = new Error("the connection broke");
  const environment = unreliable("half of", { exited: Promise.reject(error), end: async () => {} });
  const process = await environment.spawn(["program"], { timeoutMs: 60_000 });
  await expect(process.wait()).rejects.toBe(error);
  await expect(process.wait()).rejects.toBe(error);
  expect(process.exitCode).toBeUndefined();
  await process.close();
  await expect(exec(environment, ["program"], { reject: false })).rejects.toBe(error);
  await environment.close();
});

test("a program that says too much and cannot be ended leaves exec() with the reason", async () => {
  const refusal = new Error("the server answers with 500");
  const program = { exited: new Promise<never>(() => {}), end: () => Promise.reject(refusal) };
  const environment = unreliable("more than was wanted", program);
  await expect(exec(environment, ["program"], { maxOutputBytes: 4 })).rejects.toBe(refusal);
});
