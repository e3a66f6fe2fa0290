import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { withoutOptionalPackages } from "./support/partial-installation.ts";

test.each([
  [["run", "--on", "docker", "true"], "docker"],
  [["run", "--image", "debian", "true"], "docker"],
  [["run", "--host", "box", "true"], "ssh"],
  [["run", "--rootfs", "/", "true"], "proot"],
])("%j says which package to install", (args, name) => {
  const [program, ...rest] = withoutOptionalPackages();
  const { status, stderr } = spawnSync(program, [...rest, ...args], { encoding: "utf8" });
  expect(stderr).toBe(
    `anyproc: ${name}: the package @anyproc/${name} is not installed: npm install @anyproc/${name}\n`,
  );
  expect(status).toBe(125);
});

test("doctor says what to install", () => {
  const [program, ...rest] = withoutOptionalPackages();
  const { status, stdout } = spawnSync(program, [...rest, "doctor"], { encoding: "utf8" });
  expect(stdout).toMatch(/^✔ host +works /);
  for (const name of ["docker", "ssh", "proot"]) {
    expect(stdout).toMatch(new RegExp(`^- ${name} +missing .*\\n +remedy: npm install @anyproc/${name}$`, "m"));
  }
  expect(status).toBe(0);
});
