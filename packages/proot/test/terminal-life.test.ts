import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { engineIsMissing } from "./engine-is-missing.ts";

const fixture = fileURLToPath(new URL("fixtures/run-on-terminal.mjs", import.meta.url));

test.skipIf(engineIsMissing)("a guest on a terminal ends with the process that started it", async () => {
  const owner = spawn(process.execPath, [fixture], { stdio: ["ignore", "pipe", "inherit"] });
  let shown = "";
  for await (const chunk of owner.stdout) {
    shown += String(chunk);
    if (/pid \d+\r?\n/.test(shown)) break;
  }
  const pid = /pid (\d+)/.exec(shown)?.[1] ?? "";
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  owner.kill("SIGKILL");
  await once(owner, "exit");
  await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 60_000 }).toBe(false);
});
