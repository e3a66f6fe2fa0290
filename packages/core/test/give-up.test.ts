import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { defineEnvironment, type Environment } from "../src/index.ts";

/** An environment whose programs wait forever to be started, as behind a login shell that hangs. */
function stuckEnvironment(): Environment {
  return defineEnvironment({
    name: "stuck",
    capabilities: {
      pty: false,
      inherit: false,
      signals: "all",
      user: false,
      files: false,
      binaryArguments: true,
      pid: "none",
      tree: "all",
      orphans: "ended",
    },
    start: (_command, giveUp) =>
      new Promise((_resolve, reject) => giveUp.addEventListener("abort", () => reject(giveUp.reason))),
  });
}

test("closing a process, or its environment, does not wait for a start that never comes", async () => {
  const environment = stuckEnvironment();
  const one = environment.create(["one"], { forceKillAfterMs: 0 });
  const other = environment.create(["other"], { forceKillAfterMs: 0 });
  const starts = [one, other].map((process) => process.start().catch((error: Error) => error));
  await one.close();
  await environment.close();
  for (const error of await Promise.all(starts)) expect(error).toMatchObject({ code: "ANYPROC_CLOSED" });
});

test("killing a process that never starts says so", async () => {
  const process = stuckEnvironment().create(["one"], { forceKillAfterMs: 0 });
  const start = process.start().catch((error: Error) => error);
  await expect(process.kill()).rejects.toMatchObject({ code: "ANYPROC_CLOSED" });
  expect(await start).toMatchObject({ code: "ANYPROC_CLOSED" });
});

test("an abort gives up a start that takes longer than a tree may take to stop", async () => {
  const abort = new AbortController();
  const process = stuckEnvironment().create(["one"], { signal: abort.signal, forceKillAfterMs: 0 });
  const start = process.start().catch((error: Error) => error);
  abort.abort(new Error("enough"));
  expect(await start).toMatchObject({ message: "enough" });
});

test("a limit gives up a start that never comes, and the program counts as ended by it", async () => {
  const limits = { timeoutMs: 1, forceKillAfterMs: 0, killSignal: "SIGINT" } as const;
  const process = stuckEnvironment().create(["one"], limits);
  const output = text(process.stdout);
  await process.start();
  expect(await process.wait()).toMatchObject({ timedOut: true, aborted: false, signal: "SIGINT", exitCode: 130 });
  expect(await output).toBe("");
  await process.close();
});
