import { AnyprocError } from "@anyproc/core";

/**
 * The result of an import, or one clear sentence about the package that it needs.
 *
 * @throws ANYPROC_MISSING_PACKAGE when the package is not installed; any other failure of the import as it is
 */
export async function loadPackage<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if (!isMissing(error, name)) throw error;
    throw new AnyprocError(
      "ANYPROC_MISSING_PACKAGE",
      `${name.replace("@anyproc/", "")}: the package ${name} is not installed: npm install ${name}`,
      { cause: error },
    );
  }
}

/** True when this very package could not be found, not one that it depends on. */
function isMissing(error: unknown, name: string): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    error.code === "ERR_MODULE_NOT_FOUND" &&
    error.message.includes(`'${name}'`)
  );
}
