import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { canRunModules, moduleArguments, runModule } from "./child-node.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

interface Owner {
  readonly directory: string;
  /** Its next line; undefined at its end. */
  readonly line: () => Promise<string | undefined>;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<unknown[]>;
}

/** A process that has a payload in a temporary file, and goes on as the module says once that is there. */
async function startOwner(module: string): Promise<Owner> {
  const directory = await temporaryDirectory();
  const text = `
    import { open } from "@anyproc/emrun/efrun";
    const payload = await open(Buffer.from("#!/bin/sh"));
    ${module}`;
  const child = spawn(process.execPath, moduleArguments(text), {
    cwd: new URL("..", import.meta.url),
    env: { ...process.env, TMPDIR: directory },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    directory,
    line: async () => (await lines.next()).value,
    kill: (signal) => void child.kill(signal),
    ended: once(child, "exit"),
  };
}

describe.runIf(canRunModules && process.platform !== "win32")("a temporary file goes with its process", () => {
  test("that exits", async () => {
    const { directory, ended } = await startOwner("process.exit();");
    expect(await ended).toEqual([0, null]);
    expect(await readdir(directory)).toEqual([]);
  });

  test.each(["SIGHUP", "SIGINT", "SIGTERM"] as const)(
    "that is ended by %s, as it would be without one",
    async (signal) => {
      const { directory, line, kill, ended } = await startOwner('console.log("open"); setInterval(() => {}, 1000);');
      expect(await line()).toBe("open");
      expect(await readdir(directory)).toHaveLength(1);
      kill(signal);
      expect(await ended).toEqual([null, signal]);
      expect(await readdir(directory)).toEqual([]);
    },
  );

  test("unless that process takes the signal itself, and goes on", async () => {
    const { directory, line, kill, ended } = await startOwner(`
      process.on("SIGTERM", () => console.log(process.listenerCount("SIGTERM")));
      process.once("SIGINT", () => setImmediate(() => console.log("once")));
      console.log("open");
      setInterval(() => {}, 1000);`);
    expect(await line()).toBe("open");
    // Alone, as far as it can see: there are libraries that ask.
    kill("SIGTERM");
    expect(await line()).toBe("1");
    kill("SIGINT");
    expect(await line()).toBe("once");
    expect(await readdir(directory)).toHaveLength(1);
    kill("SIGINT");
    expect(await ended).toEqual([null, "SIGINT"]);
    expect(await readdir(directory)).toEqual([]);
  });

  test("and nothing of it stays in a process that has closed it", async () => {
    const text = `
      import { open } from "@anyproc/emrun/efrun";
      const count = () => ["exit", "SIGHUP", "SIGINT", "SIGTERM"].map((event) => process.listenerCount(event));
      const before = count();
      const payload = await open(Buffer.from("#!/bin/sh"));
      const meanwhile = count();
      await payload.close();
      console.log(JSON.stringify({ before, meanwhile, after: count() }));`;
    const { before, meanwhile, after } = JSON.parse(await runModule(text));
    expect(meanwhile).toEqual(before.map((count: number) => count + 1));
    expect(after).toEqual(before);
  });
});
