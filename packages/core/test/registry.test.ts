import { text } from "node:stream/consumers";
import { createEnvironment, createProcess, registerEnvironment, registeredEnvironments } from "@anyproc/core";
import { beforeEach, describe, expect, test } from "vitest";
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

describe("the environment of createProcess()", () => {
  let closed = 0;
  registerEnvironment("registry-closed", () => {
    const environment = localEnvironment();
    const close = async (): Promise<void> => {
      await environment.close();
      closed += 1;
    };
    return { ...environment, close };
  });
  beforeEach(() => {
    closed = 0;
  });

  test("is there as long as the process, and closed with it", async () => {
    const child = await createProcess("registry-closed", nodeProgram("process.stdin.pipe(process.stdout)"));
    await expect(child.wait()).rejects.toMatchObject({ code: "ANYPROC_NOT_RUNNING" });
    await child.start();
    await expect(child.start()).rejects.toMatchObject({ code: "ANYPROC_ALREADY_RUNNING" });
    expect(closed).toBe(0);
    child.stdin.end("to the last byte");
    const [output, exit] = await Promise.all([text(child.stdout), child.wait()]);
    expect({ output, code: exit.code, exitCode: child.exitCode }).toEqual({
      output: "to the last byte",
      code: 0,
      exitCode: 0,
    });
    expect(closed).toBe(1);
  });

  test("is closed when the process never runs", async () => {
    const closedEarly = await createProcess("registry-closed", nodeProgram(""));
    await closedEarly.close();
    expect(closed).toBe(1);
    const nowhere = await createProcess("registry-closed", { argv: nodeProgram(""), cwd: "/no/such/directory" });
    await expect(nowhere.start()).rejects.toMatchObject({ code: "ANYPROC_CWD_NOT_FOUND" });
    expect(closed).toBe(2);
    await expect(createProcess("registry-closed", [])).rejects.toMatchObject({ code: "ANYPROC_INVALID_COMMAND" });
    expect(closed).toBe(3);
  });
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
