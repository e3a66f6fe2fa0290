import { copyFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { prepare } from "./run.ts";

const root = resolve(import.meta.dirname, "../..");

/**
 * Packs the packages and installs them with npm, as a stranger gets them, where every user of this machine may read.
 * Returns the command that runs `anyproc`.
 */
export function installProduct(directory: string): string[] {
  mkdirSync(directory);
  const { packageManager } = readManifest("package.json");
  const dependencies: Record<string, string> = {};
  for (const path of globSync("packages/*/package.json", { cwd: root })) {
    const { name, version } = readManifest(path);
    // The suite for authors of environments would bring vitest along, and is no part of what users run.
    if (name === "@anyproc/compliance") continue;
    prepare(["npx", "--yes", packageManager, "pack", "--pack-destination", directory], {
      cwd: join(root, dirname(path)),
    });
    dependencies[name] = `file:${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
  }
  writeFileSync(join(directory, "package.json"), JSON.stringify({ private: true, dependencies }));
  prepare(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: directory });
  const node = join(directory, "node");
  copyFileSync(process.execPath, node);
  return [node, join(directory, "node_modules/@anyproc/cli/dist/main.js")];
}

function readManifest(path: string): Record<"name" | "version" | "packageManager", string> {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}
