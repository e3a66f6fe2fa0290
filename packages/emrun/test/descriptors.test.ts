import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { PassThrough } from "node:stream";
import { promisify } from "node:util";
import { open } from "@anyproc/emrun";
import { describe, expect, test } from "vitest";
import { canRunModules, runFixture } from "./child-node.ts";
import { hasAddon, implementations } from "./implementations.ts";
import { script } from "./payloads.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const openDescriptors = (): string[] => readdirSync("/proc/self/fd").sort();

describe.each(implementations)("$name and descriptors", ({ name, functions }) => {
  test("1,000 runs leave none behind", async () => {
    const payload = await functions.open(script("exit $(($1 % 3))"));
    await functions.run(payload, ["0"]);
    const before = openDescriptors();
    for (let start = 0; start < 1000; start += 10) {
      const turns = Array.from({ length: 10 }, (_, index) => start + index);
      const results = await Promise.all(turns.map((turn) => functions.run(payload, [`${turn}`], { reject: false })));
      expect(results.map((result) => result.exitCode)).toEqual(turns.map((turn) => turn % 3));
    }
    expect(openDescriptors()).toEqual(before);
    await payload.close();
    expect(openDescriptors().length).toBeLessThan(before.length);
  });

  test("64 at once, each with its own bytes", async () => {
    const before = openDescriptors();
    const turns = Array.from({ length: 64 }, (_, index) => index);
    const results = await Promise.all(
      turns.map((turn) => functions.do(`#!/bin/sh\necho ${turn} "$1"`, [`arg ${turn}`])),
    );
    expect(results.map((result) => String(result.combinedOutput))).toEqual(
      turns.map((turn) => `${turn} arg ${turn}\n`),
    );
    expect(openDescriptors()).toEqual(before);
  });

  test("runs that fail leave none behind", async () => {
    const before = openDescriptors();
    await expect(functions.do("no first line")).rejects.toThrow();
    await expect(functions.do("#!/no/such")).rejects.toThrow();
    await expect(functions.do("#!/etc/passwd")).rejects.toThrow();
    await expect(functions.do("#!/bin/sh", [], { cwd: "/no/such" })).rejects.toThrow();
    await expect(functions.do("#!/bin/sh", [], { signal: AbortSignal.abort() })).rejects.toThrow();
    expect(openDescriptors()).toEqual(before);
  });

  test("a payload that does not read to the end of its stdin leaves none behind", async () => {
    const before = openDescriptors();
    const result = await functions.run(script("exit 3"), [], { stdin: new PassThrough(), reject: false });
    expect(result.exitCode).toBe(3);
    expect(openDescriptors()).toEqual(before);
  });

  test.runIf(hasAddon)("a payload has its three streams and its own file, nothing else of ours", async () => {
    await using other = await functions.open(script("# a payload that is open at the same time"));
    // Without a pipe of the shell's own, which would come and go while ls looks.
    const { combinedOutput } = await functions.run(script("ls -l /proc/$$/fd"));
    const targets = [...String(combinedOutput).matchAll(/ -> (.*)$/gm)].map(([, target = ""]) => target);
    const kinds = targets.map((target) => /^(\/memfd|pipe):/.exec(target)?.[1] ?? dirname(target));
    // A shell keeps its script open, so that is there also when it is a temporary file.
    expect(new Set(kinds)).toEqual(new Set(["/dev", "pipe", name === "emrun" ? "/memfd" : tmpdir()]));
    expect(String(combinedOutput)).not.toContain(other.digest);
  });

  test.runIf(canRunModules)("a payload that runs on when its worker_thread is terminated harms nobody", async () => {
    const entry = name === "efrun" ? "@anyproc/emrun/efrun" : "@anyproc/emrun";
    // Its temporary file stays behind: nothing of a thread runs when it is terminated.
    const env = { TMPDIR: await temporaryDirectory() };
    expect(await runFixture("terminated-worker.mjs", [entry], env)).toBe("gone\n");
  });
});

describe.runIf(hasAddon)("a memory file", () => {
  test("is in no other child's descriptor table, also while it is being run", async () => {
    await using payload = await open(script("read line"));
    const { runBG } = await import("@anyproc/emrun");
    const stdin = new PassThrough();
    const running = await runBG(payload, [], { stdin });
    const list = promisify(execFile)("sh", ["-c", "ls -l /proc/self/fd"]);
    const second = await runBG(script("ls -l /proc/self/fd"));
    expect((await list).stdout).not.toContain("memfd:");
    expect(String((await second.wait()).combinedOutput)).not.toContain(payload.digest);
    stdin.end("\n");
    await running.wait();
  });
});
