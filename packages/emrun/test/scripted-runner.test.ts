import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { captureOutput, defaultRunner, open, run, runBG, runIOE, scriptedRunner } from "@anyproc/emrun";
import { describe, expect, test } from "vitest";
import { script } from "./payloads.ts";

describe("a scripted runner", () => {
  test("does what its script says, and remembers what it was asked", async () => {
    const runner = scriptedRunner([
      { stdout: "1.2.3\n" },
      { exitCode: 2, stderr: "no such option\n" },
      { signal: "SIGTERM" },
    ]);
    const payload = script("never runs");
    expect(String((await run(payload, ["--version"], { runner })).combinedOutput)).toBe("1.2.3\n");
    expect(runner.remaining).toBe(2);
    const failed = await (await runBG(payload, ["--nonsense"], { runner, env: { A: "1" } })).done;
    expect(failed).toMatchObject({ exitCode: 2, error: { code: "ANYPROC_EXIT" } });
    expect(String(failed.combinedOutput)).toBe("no such option\n");
    expect(await run(payload, [], { runner, reject: false })).toMatchObject({ exitCode: 143, signal: "SIGTERM" });
    expect(runner.remaining).toBe(0);
    expect(runner.calls.map((call) => call.command.args)).toEqual([["--version"], ["--nonsense"], []]);
    expect(runner.calls[1]?.command.env).toEqual({ A: "1" });
    expect(new Set(runner.calls.map((call) => call.digest)).size).toBe(1);
    expect(runner.calls[0]?.path).toMatch(/^\//);
  });

  test("streams", async () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    await runIOE(script(""), [], { runner: scriptedRunner([{ stdout: "out", stderr: "err" }]), stdout, stderr });
    expect([await text(stdout.end()), await text(stderr.end())]).toEqual(["out", "err"]);
  });

  test("is missing: that is said before anything is opened", async () => {
    await expect(run(script(""), [], { runner: null as never })).rejects.toMatchObject({
      code: "ANYPROC_INVALID_OPTION",
    });
  });

  test("fails as its script says, and when it is over", async () => {
    const error = new Error("no more processes");
    const runner = scriptedRunner([{ error }]);
    await expect(run(script(""), [], { runner })).rejects.toBe(error);
    await expect(run(script(""), [], { runner })).rejects.toMatchObject({ code: "ANYPROC_EMRUN_SCRIPT_OVER" });
  });
});

describe("captureOutput", () => {
  test("collects for any runner, and leaves the command as it was", async () => {
    const command = { args: ["a"] };
    const capture = captureOutput(command);
    expect(command).toEqual({ args: ["a"] });
    expect(capture.finish()).toHaveLength(0);
    await using payload = await open(script('echo "out $1"; echo err >&2'));
    await defaultRunner.run(payload, capture.command);
    expect(capture.finish().toString().split("\n").sort()).toEqual(["", "err", "out a"]);
    expect(capture.finish()).toEqual(capture.finish());
  });

  test("refuses a command whose output leads elsewhere", () => {
    expect(() => captureOutput({ stdout: "inherit" })).toThrow(
      expect.objectContaining({ code: "ANYPROC_INVALID_OPTION" }),
    );
    expect(() => captureOutput({ stderr: new PassThrough() })).toThrow(/runIOE/);
  });
});
