import { constants } from "node:os";
import { exitCodeOf, signalName, signalNumber } from "@anyproc/core";
import { expect, test } from "vitest";

test("one number for codes and signals", () => {
  expect(exitCodeOf(7, null)).toBe(7);
  expect(exitCodeOf(null, "SIGTERM")).toBe(143);
  expect(exitCodeOf(null, "SIGKILL")).toBe(137);
});

test.runIf(process.platform === "linux")("the numbers are the kernel's", () => {
  for (const [name, number] of Object.entries(constants.signals)) {
    const isAlias = name === "SIGIOT" || name === "SIGPOLL" || name === "SIGUNUSED";
    if (isAlias) continue;
    expect(signalNumber(name), name).toBe(number);
    expect(signalName(number)).toBe(name);
  }
});
