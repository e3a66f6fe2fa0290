import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { anyproc } from "./support/anyproc.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";
import { openTerminal } from "./support/terminal.ts";

/** What is typed, and what completes it. */
const cases: readonly (readonly [words: readonly string[], expected: readonly string[]])[] = [
  [["r"], ["run"]],
  [
    ["run", "--roo"],
    ["--root-id", "--rootfs"],
  ],
  [
    ["run", "--on", ""],
    ["docker", "host", "proot", "ssh"],
  ],
  [["run", "-w", "dir"], ["directory"]],
  [["run", "--env-file", "fil"], ["file.txt"]],
  [["run", "-e", "ANYPROC_TEST_V"], ["ANYPROC_TEST_VARIABLE"]],
  [["run", "-u", "nobod"], ["nobody"]],
  [["run", "--timeout", "5", "--kill-a"], ["--kill-after"]],
  [["run", "anyproc-test-pro"], ["anyproc-test-program"]],
  [["run", "-e", "A=b", "--", "anyproc-test-pro"], ["anyproc-test-program"]],
  [["run", "cat", "fil"], ["file.txt"]],
  [["completion", "z"], ["zsh"]],
  [["help", "doc"], ["doctor"]],
  [["--verbose", "doctor", "--js"], ["--json"]],
];

const hasShell = (shell: string): boolean => {
  const found = spawnSync(shell, ["-c", "exit 0"]).status === 0;
  if (!found) console.log(`Skipped: ${shell} is not installed`);
  return found;
};

/** A place with a directory, a file and a program to complete, and a completion script to load. */
async function place(shell: string): Promise<{ cwd: string; env: Record<string, string | undefined> }> {
  const cwd = temporaryDirectory();
  mkdirSync(join(cwd, "directory"));
  writeFileSync(join(cwd, "file.txt"), "");
  mkdirSync(join(cwd, "bin"));
  writeFileSync(join(cwd, "bin/anyproc-test-program"), "#!/bin/sh\n", { mode: 0o755 });
  const { stdout } = await anyproc(["completion", shell]);
  writeFileSync(join(cwd, `_anyproc`), stdout);
  const env = { ...process.env, PATH: `${cwd}/bin:${process.env["PATH"]}`, HOME: cwd, ANYPROC_TEST_VARIABLE: "" };
  return { cwd, env };
}

describe.runIf(hasShell("bash"))("bash", () => {
  /** bash's own view of a line: its words, broken at "=" and ":" too. */
  async function complete(line: string): Promise<string[]> {
    const { cwd, env } = await place("bash");
    const script = `source ./_anyproc; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _anyproc; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const words = line
      .split(/ |(?<=[=:])|(?=[=:])/)
      .filter((word, index, all) => word !== "" || index === all.length - 1);
    const output = execFileSync("bash", ["--norc", "-c", script, "bash", ...words], {
      cwd,
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return [...new Set(output.trim().split("\n"))].sort();
  }

  test.each(cases)("%j", async (words, expected) => {
    expect(await complete(["anyproc", ...words].join(" "))).toEqual(expected);
  });

  test("a value after = is completed on its own", async () => {
    expect(await complete("anyproc run --on=p")).toEqual(["proot"]);
  });

  test("works at a prompt", async () => {
    const { cwd } = await place("bash");
    const terminal = await openTerminal(["bash", "--norc", "--noprofile", "-i"]);
    await terminal.waitFor(/\$|#/);
    terminal.type(`cd ${cwd}; source ./_anyproc; PS1='ready''> '\r`);
    await terminal.waitFor(/ready> /);
    terminal.type("anyproc run --rootf\t");
    await terminal.waitFor(/--rootfs /);
    terminal.type("dir\t");
    await terminal.waitFor(/directory\//);
    terminal.type("\x15exit\r");
    await terminal.wait();
  });
});

describe.runIf(hasShell("fish"))("fish", () => {
  test.each(cases)("%j", async (words, expected) => {
    const { cwd, env } = await place("fish");
    const script = "source ./_anyproc; complete -C $argv[1]";
    const line = ["anyproc", ...words].join(" ");
    const output = execFileSync("fish", ["-c", script, line], { cwd, env, encoding: "utf8" });
    // What follows a tab describes the word.
    const found = output
      .trim()
      .split("\n")
      .map((answer) => answer.replace(/\/?(\t.*)?$/, ""));
    expect(found.sort()).toEqual(expected);
  });
});

describe.runIf(hasShell("zsh"))("zsh", () => {
  test("at a prompt", async () => {
    const { cwd } = await place("zsh");
    const env = [`HOME=${cwd}`, `PATH=${cwd}/bin:${process.env["PATH"]}`, "ANYPROC_TEST_VARIABLE="];
    const terminal = await openTerminal(["env", ...env, "zsh", "-f"], { columns: 200, rows: 50 });
    terminal.type(`cd ${cwd}; autoload -U compinit; compinit -u -D; source ./_anyproc; PS1='ready''> '\r`);
    await terminal.waitFor(/ready> /);
    for (const [words, expected] of cases) {
      // Ctrl-D completes a single answer and lists several; Ctrl-U takes the line away.
      terminal.type(`${["anyproc", ...words].join(" ")}\x04`);
      for (const word of expected) await terminal.waitFor(new RegExp(word));
      terminal.type("\x15");
    }
  });
});

test("--json holds the script", async () => {
  const { stdout } = await anyproc(["completion", "--json", "fish"]);
  expect(JSON.parse(stdout)).toEqual({ shell: "fish", script: (await anyproc(["completion", "fish"])).stdout });
});
