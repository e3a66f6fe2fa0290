import { expect, test } from "vitest";
import { findImports, judgeImport, judgeManifest } from "../check-imports.mjs";

const ssh = {
  name: "@anyproc/ssh",
  dependencies: { "@anyproc/core": "1", ssh2: "1" },
  optionalDependencies: { pty: "1" },
};
const cli = { name: "@anyproc/cli", dependencies: { "@anyproc/core": "1", "@anyproc/host": "1" } };
const eager = (specifier: string) => ({ specifier, lazy: false });
const lazy = (specifier: string) => ({ specifier, lazy: true });

test("imports are found in every form, and not in comments", () => {
  const text = `
    import a from "one";
    import {
      b,
    } from "two";
    import "three";
    export * from "four";
    import type { C } from "five";
    const d = await import("six");
    // import e from "seven";
    /** import f from "eight"; */
  `;
  expect(findImports(text)).toEqual([...["one", "two", "three", "four"].map(eager), ...["five", "six"].map(lazy)]);
});

test.each([
  ["core", ssh, eager("@anyproc/core")],
  ["a subpath of core", ssh, eager("@anyproc/core/child-process")],
  ["a declared dependency", ssh, eager("ssh2")],
  ["an optional dependency, lazily", ssh, lazy("pty")],
  ["a file of its own", ssh, eager("./session.ts")],
  ["an environment, lazily, from the command line", cli, lazy("@anyproc/host")],
])("a package may import %s", (_title, manifest, found) => {
  expect(judgeImport(manifest, "src/index.ts", found)).toBeUndefined();
});

test.each([
  ["a sibling", ssh, eager("@anyproc/host"), "belongs in core"],
  ["a sibling, lazily", ssh, lazy("@anyproc/host"), "belongs in core"],
  ["itself by name", ssh, eager("@anyproc/ssh"), "the package itself"],
  ["an optional dependency at once", ssh, eager("pty"), "lazily"],
  ["what it does not declare", ssh, eager("execa"), "not among"],
  ["a file outside its src", ssh, eager("../../core/src/index.ts"), "leaves"],
  ["an environment at once, from the command line", cli, eager("@anyproc/host"), "lazily"],
])("a package may not import %s", (_title, manifest, found, reason) => {
  expect(judgeImport(manifest, "src/index.ts", found)).toContain(reason);
});

test("a manifest may name core and platform packages, and nothing that runs at install", () => {
  expect(judgeManifest({ ...ssh, optionalDependencies: { "@anyproc/ssh-linux-x64": "1" } })).toEqual([]);
  expect(judgeManifest({ ...ssh, dependencies: { "@anyproc/docker": "1" } })).toHaveLength(1);
  expect(judgeManifest({ ...ssh, scripts: { postinstall: "true" } })).toHaveLength(1);
  expect(judgeManifest({ name: "@anyproc/core", dependencies: { semver: "1" } })).toHaveLength(1);
});
