import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { defineEnvironment, type Environment, exec } from "../src/index.ts";

/** An environment whose connection to every program breaks as soon as it runs. */
function unreliable(error: Error): Environment {
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
      stdout.end("half of");
      return {
        stdin: null,
        stdout,
        stderr: null,
        exited: Promise.reject(error),
        signal: () => {},
        end: async () => {},
      };
    },
  });
}

test("a program that was lost sight of has no exit code: whoever waits gets the error", async () => {
  const error = new Error("the connection broke");
  const environment = unreliable(error);
  const process = await environment.spawn(["program"], { timeoutMs: 60_000 });
  await expect(process.wait()).rejects.toBe(error);
  await expect(process.wait()).rejects.toBe(error);
  expect(process.exitCode).toBeUndefined();
  await process.close();
  await expect(exec(environment, ["program"], { reject: false })).rejects.toBe(error);
  await environment.close();
});
