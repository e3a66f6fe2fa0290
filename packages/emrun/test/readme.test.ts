import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { canRunModules, runModule } from "./child-node.ts";

test.runIf(canRunModules)("the README's example does what it says", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, example = ""] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  const [, expected = ""] = /^\/\/ (.*)$/m.exec(example) ?? [];
  // Node.js 20 and 22 have no `await using`.
  const module = example.replace("await using", "const");
  expect((await runModule(module)).trim()).toBe(expected);
});
