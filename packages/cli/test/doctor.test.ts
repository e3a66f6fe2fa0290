import { expect, test } from "vitest";
import { findingsTable } from "../src/doctor/table.ts";
import { anyproc, anyprocArgv } from "./support/anyproc.ts";
import { openTerminal } from "./support/terminal.ts";

test("works where there is a host", async () => {
  const { exitCode, stdout, stderr } = await anyproc(["doctor"]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(/^✔ host +works /);
  expect(stdout).not.toContain("\x1b");
});

test("--json has an entry for every environment", async () => {
  const { stdout } = await anyproc(["doctor", "--json"]);
  const { ok, environments } = JSON.parse(stdout) as { ok: boolean; environments: { name: string; status: string }[] };
  expect(ok).toBe(true);
  expect(environments.map(({ name }) => name)).toEqual(["host", "pty", "proot", "docker", "ssh", "emrun", "images"]);
  expect(environments.find(({ name }) => name === "emrun")).toMatchObject({ status: "works" });
  expect(environments[0]).toMatchObject({ status: "works", detail: expect.stringContaining(process.version) });
});

test("--quiet says it with the exit status alone", async () => {
  expect(await anyproc(["doctor", "--quiet"])).toEqual({ exitCode: 0, stdout: "", stderr: "" });
});

test.skipIf(process.platform === "win32")("colour on a terminal, none with NO_COLOR", async () => {
  const coloured = await openTerminal(["env", "-u", "NO_COLOR", "TERM=xterm", ...anyprocArgv, "doctor"]);
  await coloured.wait();
  expect(coloured.shown()).toContain("\x1b[32m✔ host");
  const plain = await openTerminal(["env", "NO_COLOR=1", "TERM=xterm", ...anyprocArgv, "doctor"]);
  await plain.wait();
  expect(plain.shown()).toContain("✔ host");
  expect(plain.shown()).not.toContain("\x1b[");
});

test("the table aligns, and shows checks when asked to", () => {
  const checks = [
    { name: "kernel", ok: true, detail: "6.1" },
    { name: "filters", ok: false, detail: "refused", remedy: "allow them" },
  ];
  const findings = [
    { name: "host", status: "works", detail: "here" },
    { name: "proot", status: "fails", detail: "filters: refused", remedy: "allow them", checks },
  ] as const;
  expect(findingsTable(findings, { color: false, checks: true })).toBe(
    [
      "✔ host   works    here",
      "✘ proot  fails    filters: refused",
      "                  remedy: allow them",
      "                  ✔ kernel: 6.1",
      "                  ✘ filters: refused: allow them",
      "",
    ].join("\n"),
  );
});
