import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { endScript } from "../../src/remote-shell/index.ts";

const directory = mkdtempSync(join(tmpdir(), "anyproc-end-script-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** A program in a session of its own that does not listen to SIGTERM. */
async function startStubborn(): Promise<{ pid: number; over: Promise<unknown[]> }> {
  const child = spawn("sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 1; done"], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const over = once(child, "exit");
  await once(child.stdout, "data");
  return { pid: child.pid ?? 0, over };
}

test("force comes when the time is over, however long each pause takes", async () => {
  const { pid, over } = await startStubborn();
  const pauses = join(directory, "pauses");
  writeFileSync(join(directory, "sleep"), `#!/bin/sh\necho >>${pauses}\nexec /bin/sleep 2\n`, { mode: 0o755 });
  const env = { PATH: `${directory}:${process.env["PATH"]}` };
  const { status } = spawnSync("sh", ["-c", endScript(pid, "SIGTERM", 1000)], { env });
  expect(status).toBe(0);
  expect(await over).toEqual([null, "SIGKILL"]);
  // One for the time that is over and one for the force; pauses of the length that is asked for would be 20.
  expect(readFileSync(pauses, "utf8").length).toBeLessThan(20);
}, 120_000);

test("a program that listens is not forced", async () => {
  const child = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
  const over = once(child, "exit");
  await once(child, "spawn");
  expect(spawnSync("sh", ["-c", endScript(child.pid ?? 0, "SIGTERM", 60_000)]).status).toBe(0);
  expect(await over).toEqual([null, "SIGTERM"]);
});
