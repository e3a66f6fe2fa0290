import { createEnvironment, createProcess, registerEnvironment, registeredEnvironments } from "@anyproc/core";
import { expect, test } from "vitest";
import { localEnvironment, nodeProgram } from "./local-environment.ts";

test("a registered name makes environments and processes, with the options given", async () => {
  const seen: unknown[] = [];
  registerEnvironment("registry-test", (options) => {
    seen.push(options);
    return localEnvironment();
  });
  expect(registeredEnvironments()).toContain("registry-test");
  const child = await createProcess("registry-test", nodeProgram("process.exit(3)"), { environment: { a: 1 } });
  await child.start();
  expect((await child.wait()).code).toBe(3);
  expect(seen).toEqual([{ a: 1 }]);
});

test("a name belongs to one factory", () => {
  registerEnvironment("registry-twice", localEnvironment);
  expect(() => registerEnvironment("registry-twice", localEnvironment)).toThrow(
    expect.objectContaining({ code: "ANYPROC_DUPLICATE_ENVIRONMENT" }),
  );
});

test("an unknown name lists what is known and the package to install", async () => {
  await expect(createEnvironment("docker")).rejects.toMatchObject({
    code: "ANYPROC_UNKNOWN_ENVIRONMENT",
    message: expect.stringContaining("install @anyproc/docker"),
  });
  await expect(createEnvironment("toString")).rejects.toMatchObject({ code: "ANYPROC_UNKNOWN_ENVIRONMENT" });
});
