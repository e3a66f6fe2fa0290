import { access, constants } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { AnyprocError, unsupported } from "@anyproc/core";

/** Variable that names a directory with the engine's executables, instead of the platform package. */
export const engineVariable = "ANYPROC_PROOT_ENGINE";

/**
 * Path of the launcher; the shim lies beside it.
 *
 * @throws ANYPROC_UNSUPPORTED on a platform without an engine; ANYPROC_MISSING_PACKAGE when its package is not
 * installed; ANYPROC_ENGINE_REFUSED when the file cannot be executed where it lies
 */
export async function findEngine(): Promise<string> {
  const launcher = join(engineDirectory(), "anyproc-proot");
  try {
    await access(launcher, constants.X_OK);
  } catch (error) {
    throw new AnyprocError(
      "ANYPROC_ENGINE_REFUSED",
      `${launcher}: cannot be executed: is it missing (build it, or reinstall the package), or does it lie on a file ` +
        `system mounted noexec (copy its directory elsewhere and name that in ${engineVariable})?`,
      { cause: error },
    );
  }
  return launcher;
}

function engineDirectory(): string {
  const override = process.env[engineVariable];
  if (override) return override;
  if (process.platform !== "linux") {
    throw unsupported("proot", `${process.platform}`, "the engine runs on Linux; use the docker or ssh environment");
  }
  if (process.arch !== "x64") {
    throw unsupported("proot", `linux-${process.arch}`, "the engine is built for x86-64 (x64)");
  }
  const name = `@anyproc/proot-linux-${process.arch}`;
  try {
    return join(dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`))), "bin");
  } catch (error) {
    throw new AnyprocError(
      "ANYPROC_MISSING_PACKAGE",
      `${name} is not installed: npm install ${name} (installing with --omit=optional leaves it out)`,
      { cause: error },
    );
  }
}
