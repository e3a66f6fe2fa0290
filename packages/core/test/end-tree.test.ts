import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { localEnvironment, nodeProgram } from "./local-environment.ts";

const environment = localEnvironment();

const growing = "echo ready; i=0; while [ $i -lt 150 ]; do i=$((i + 1)); sleep 60 >/dev/null & done; wait";

/** How many living processes have this variable with this value. */
async function countWith(name: string, value: string): Promise<number> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, "utf8").catch(() => "")));
  return environments.filter((text) => text.split("\0").includes(`${name}=${value}`)).length;
}

describe.runIf(process.platform === "linux")("a tree that is still growing", () => {
  test.each(["kill", "close"] as const)("leaves nobody behind after %s()", async (end) => {
    for (let round = 0; round < 3; round += 1) {
      const mark = `${process.pid}-${end}-${round}`;
      const child = environment.create({ argv: ["sh", "-c", growing], env: { ANYPROC_TEST_TREE: mark } });
      const ready = once(child.stdout, "data");
      await child.start();
      await ready;
      await child[end]();
      await child.wait();
      expect(await countWith("ANYPROC_TEST_TREE", mark)).toBe(0);
    }
  });
});

test.skipIf(process.platform === "win32")("a stopped program can still answer close()", async () => {
  const child = environment.create(
    nodeProgram("process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1000); console.log('ready')"),
  );
  const ready = once(child.stdout, "data");
  await child.start();
  await ready;
  await child.signal("SIGSTOP");
  await child.close();
  expect(await child.wait()).toMatchObject({ code: 7 });
});
