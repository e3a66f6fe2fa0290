import { chownSync, copyFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ordinaryUser } from "./modes.ts";
import { prepare } from "./run.ts";

/** The product, installed as a user gets it. */
export interface Product {
  /** Command that runs `anyproc`. */
  readonly anyproc: readonly string[];
  /** Command that runs one in the guest, with options of createProot() in JSON before it. */
  readonly runGuest: readonly string[];
  /** Home of the ordinary user. */
  readonly home: string;
}

const root = resolve(import.meta.dirname, "../..");

/** Packs the packages and installs them with npm, as a stranger gets them, where every user of this machine may read. */
export function installProduct(directory: string): Product {
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
  const runGuest = join(directory, "run-guest.mjs");
  const home = join(directory, "home");
  copyFileSync(process.execPath, node);
  copyFileSync(join(import.meta.dirname, "run-guest.mjs"), runGuest);
  mkdirSync(home);
  chownSync(home, ordinaryUser.uid, ordinaryUser.gid);
  return {
    anyproc: [node, join(directory, "node_modules/@anyproc/cli/dist/main.js")],
    runGuest: [node, runGuest],
    home,
  };
}

function readManifest(path: string): Record<"name" | "version" | "packageManager", string> {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}
