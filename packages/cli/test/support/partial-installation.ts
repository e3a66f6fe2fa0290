import { cpSync, mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "./temporary-directory.ts";

const cli = fileURLToPath(new URL("../..", import.meta.url));

/** The command as it is where somebody installed it without any of its optional packages: argv that starts it. */
export function withoutOptionalPackages(): readonly [string, ...string[]] {
  const directory = temporaryDirectory();
  const installed = join(directory, "node_modules/@anyproc/cli");
  mkdirSync(installed, { recursive: true });
  cpSync(join(cli, "dist"), join(installed, "dist"), { recursive: true });
  cpSync(join(cli, "package.json"), join(installed, "package.json"));
  for (const name of ["@anyproc/core", "@anyproc/host", "commander"]) {
    const link = join(directory, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(realpathSync(join(cli, "node_modules", name)), link);
  }
  return [process.execPath, "--", join(installed, "dist/main.js")];
}
