// The import rule of the house: packages import only @anyproc/core, never one another. So `npm i @anyproc/ssh` brings
// nothing that ssh does not need, and a new environment cannot break another one.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { pathToFileURL } from "node:url";

const scope = "@anyproc/";

/** Packages that may know more than core: `eager` in any import, `lazy` only in import() or as a type. */
const exceptions = {
  "@anyproc/core": { eager: [], lazy: [] },
  "@anyproc/container": { eager: ["@anyproc/core", "@anyproc/proot"], lazy: [] },
  "@anyproc/cli": { eager: ["@anyproc/core"], lazy: "every environment" },
};

/**
 * Modules that a TypeScript or JavaScript text imports, as `{ specifier, lazy }`; `lazy` for import() and for types,
 * which leave no trace at run time.
 */
export function findImports(text) {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const eager = /^\s*(?:import|export)\s+(?!type\b)(?:[\w*{][^;"'`]*?\bfrom\s*)?["']([^"']+)["']/gm;
  const lazy = /^\s*(?:import|export)\s+type\b[^;"'`]*?\bfrom\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;
  return [
    ...[...code.matchAll(eager)].map((match) => ({ specifier: match[1], lazy: false })),
    ...[...code.matchAll(lazy)].map((match) => ({ specifier: match[1] ?? match[2], lazy: true })),
  ];
}

/** What is wrong with one import of a package's source, in one sentence; undefined when nothing is. */
export function judgeImport(manifest, file, { specifier, lazy }) {
  if (specifier.startsWith("node:")) return undefined;
  if (specifier.startsWith(".")) {
    const target = normalize(join(dirname(file), specifier));
    return target.startsWith(`src${sep}`)
      ? undefined
      : `${specifier} leaves the package's src: import a package by name`;
  }
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  if (name === manifest.name) return `${specifier} is the package itself: import the file`;
  if (name.startsWith(scope)) {
    const allowed = exceptions[manifest.name] ?? { eager: ["@anyproc/core"], lazy: [] };
    const isLazy = allowed.lazy === "every environment" || allowed.lazy.includes(name);
    if (!allowed.eager.includes(name) && !(lazy && isLazy)) {
      return `${name} may not be imported here${isLazy ? " except lazily, with import()" : ": what both need belongs in core"}`;
    }
  }
  const { dependencies = {}, peerDependencies = {}, optionalDependencies = {} } = manifest;
  if (name in dependencies || name in peerDependencies) return undefined;
  if (name in optionalDependencies) {
    return lazy
      ? undefined
      : `${name} is optional: import it lazily, with import(), so that its absence is one clear sentence`;
  }
  return `${name} is not among the package's dependencies`;
}

/** What is wrong with a package's own dependencies on its siblings. Platform packages hold executables, not code. */
export function judgeManifest(manifest) {
  const allowed = exceptions[manifest.name] ?? { eager: ["@anyproc/core"], lazy: [] };
  const names = ["dependencies", "peerDependencies", "optionalDependencies"].flatMap((key) =>
    Object.keys(manifest[key] ?? {}),
  );
  const wrong = names.filter((name) => name.startsWith(scope) && !/-(linux|darwin|win32)-/.test(name));
  const scripts = ["preinstall", "install", "postinstall", "prepare"].filter(
    (name) => name in (manifest.scripts ?? {}),
  );
  return [
    ...wrong
      .filter(
        (name) => !allowed.eager.includes(name) && allowed.lazy !== "every environment" && !allowed.lazy.includes(name),
      )
      .map((name) => `depends on ${name}: only core may be depended on`),
    ...(manifest.name === "@anyproc/core" && names.length > 0
      ? [`core has no dependencies, but lists ${names.join(", ")}`]
      : []),
    ...scripts.map((name) => `has the script ${name}: nothing may run while a package is being installed`),
  ];
}

function main() {
  const problems = [];
  let count = 0;
  for (const manifestPath of globSync("packages/*/package.json").sort()) {
    const directory = dirname(manifestPath);
    const manifest = JSON.parse(readFileSync(manifestPath, "utf8"));
    problems.push(...judgeManifest(manifest).map((problem) => `${manifestPath}: ${problem}`));
    for (const file of globSync("src/**/*.ts", { cwd: directory }).sort()) {
      for (const found of findImports(readFileSync(join(directory, file), "utf8"))) {
        count += 1;
        const problem = judgeImport(manifest, file, found);
        if (problem) problems.push(`${join(directory, file)}: ${problem}`);
      }
    }
  }
  for (const problem of problems) console.error(problem);
  console.log(`imports: ${count} checked, ${problems.length} against the rule`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main();
