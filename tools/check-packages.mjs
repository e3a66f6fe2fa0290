// Packs every package as it would be published and looks at the archive as a stranger's tools would: publint for the
// manifest, attw for what TypeScript finds behind each entry point, a debugger for what the source maps name.
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";

const { packageManager } = JSON.parse(readFileSync("package.json", "utf8"));
const archives = mkdtempSync(join(tmpdir(), "anyproc-pack-"));

function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error) throw error;
  return { ok: status === 0, output: `${stdout}${stderr}`.trim() };
}

/** What the source maps in an archive lead to, and is not there. */
function missingSources(archive) {
  const files = run("tar", ["-tzf", archive]).output.split("\n");
  return files
    .filter((file) => file.endsWith(".map"))
    .flatMap((file) => {
      const { sources } = JSON.parse(run("tar", ["-xzOf", archive, file]).output);
      return sources.map((source) => posix.join(posix.dirname(file), source));
    })
    .filter((source) => !files.includes(source));
}

function check(directory, manifest) {
  const before = new Set(readdirSync(archives));
  const packed = run("npx", ["--yes", packageManager, "pack", "--pack-destination", archives], directory);
  if (!packed.ok) return `cannot be packed:\n${packed.output}`;
  const archive = join(
    archives,
    readdirSync(archives).find((name) => !before.has(name)),
  );

  const missing = missingSources(archive);
  if (missing.length > 0) return `source maps name files that are not in the archive: ${missing.join(", ")}`;

  const published = run("publint", ["run", archive, "--strict"]);
  if (!published.ok) return `publint:\n${published.output}`;

  const hasEntryPoints = Object.keys(manifest.exports ?? {}).some((name) => name !== "./package.json");
  if (!hasEntryPoints) return undefined;
  const typed = run("attw", [archive, "--profile", "esm-only", "--format", "table", "--no-emoji"]);
  return typed.ok ? undefined : `attw:\n${typed.output}`;
}

try {
  for (const manifestPath of globSync("packages/*/package.json").sort()) {
    const manifest = JSON.parse(readFileSync(manifestPath, "utf8"));
    if (manifest.private) continue;
    const problem = check(dirname(manifestPath), manifest);
    console.log(`${manifest.name}: ${problem ?? "ready to publish"}`);
    if (problem) process.exitCode = 1;
  }
} finally {
  rmSync(archives, { recursive: true });
}
