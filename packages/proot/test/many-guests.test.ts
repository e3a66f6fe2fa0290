import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Process } from "@anyproc/core";
import { createProot } from "@anyproc/proot";
import { describe, expect, onTestFinished, test } from "vitest";
import { engineIsMissing } from "./engine-is-missing.ts";

/** Waits until cat(1) runs, by having it return a line. */
async function isRunning(cat: { readonly stdin: Writable; readonly stdout: Readable }): Promise<void> {
  const line = once(createInterface(cat.stdout), "line");
  cat.stdin.write("running\n");
  expect(await line).toEqual(["running"]);
}

/** Kilobytes of memory that this process alone has, and that no file holds. */
async function anonymousMemory(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Anonymous: +(\d+) kB$/m.exec(text)?.[1]);
}

async function onlyChild(pid: number | undefined): Promise<number> {
  return Number(await readFile(`/proc/${pid}/task/${pid}/children`, "utf8"));
}

describe.skipIf(engineIsMissing)("many guests", () => {
  test("500 run at once", async () => {
    const guest = await createProot({ rootfs: "/" });
    const guests: Process[] = [];
    onTestFinished(async () => void (await Promise.all(guests.map((cat) => cat.close()))));
    while (guests.length < 500) {
      const cat = await guest.spawn(["/bin/cat"]);
      guests.push(cat);
      await isRunning(cat);
    }
    expect(guests.filter((cat) => cat.exitCode !== undefined)).toEqual([]);
    for (const cat of guests) cat.stdin.end();
    const exits = await Promise.all(guests.map((cat) => cat.wait()));
    expect(exits.filter((exit) => exit.code !== 0)).toEqual([]);
  });

  test.each([false, true])("each costs its program at most 48 KB of memory, patched: %s", async (patch) => {
    const env = { PATH: "/bin" };
    const native = spawn("/bin/cat", { env, stdio: ["pipe", "pipe", "inherit"] });
    onTestFinished(() => void native.kill());
    await isRunning(native);
    const guest = await createProot({ rootfs: "/", patch });
    const cat = await guest.spawn({ argv: ["/bin/cat"], env, extendEnv: false });
    onTestFinished(() => cat.close());
    await isRunning(cat);
    const added = (await anonymousMemory(await onlyChild(cat.pid))) - (await anonymousMemory(native.pid));
    expect(added).toBeGreaterThan(0);
    expect(added).toBeLessThanOrEqual(48);
  });
});
