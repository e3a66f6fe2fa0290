import { posix } from "node:path";
import {
  AnyprocError,
  type Command,
  type Guest,
  type GuestExtension,
  type GuestSetup,
  isAnyprocError,
  type Runner,
  toCommand,
} from "@anyproc/core";
import { isBindList } from "./check-options.ts";

/** Extensions that have set up a guest. */
export interface AppliedExtensions {
  readonly setup: GuestSetup;
  readonly resolvePath: (path: string) => string;
  readonly resolveCommand: (command: Command, guest: Guest) => Promise<Command>;
  /** In reverse order, each one whatever became of the others. */
  readonly release: () => Promise<void>;
}

/**
 * Sets a guest up: each extension gets what the one before it has made. When one of them fails, those before it are
 * released.
 *
 * @throws ANYPROC_EXTENSION_FAILED for what a hook throws, unless that is an error of ours; ANYPROC_INVALID_OPTION for
 * a setup that cannot be
 */
export async function applyExtensions(
  extensions: readonly GuestExtension[],
  initial: GuestSetup,
): Promise<AppliedExtensions> {
  const applied: GuestExtension[] = [];
  let setup = initial;
  try {
    for (const extension of extensions) {
      const current = setup;
      const changes = await attempt(extension, "setUp", () => extension.setUp?.(current));
      applied.push(extension);
      setup = checkSetup(extension, { ...current, ...changes });
    }
  } catch (error) {
    // What failed first is what the caller has to know.
    await releaseAll(applied).catch(() => {});
    throw error;
  }
  return {
    setup,
    resolvePath: (path) => applied.reduce((current, extension) => resolvePathBy(extension, current), path),
    async resolveCommand(command, guest) {
      let current = command;
      for (const extension of applied) {
        const given = current;
        const resolved = await attempt(extension, "resolveCommand", () => extension.resolveCommand?.(given, guest));
        if (resolved !== undefined) current = toCommand(resolved);
      }
      return current;
    },
    release: () => releaseAll(applied),
  };
}

async function releaseAll(applied: readonly GuestExtension[]): Promise<void> {
  const errors: unknown[] = [];
  for (const extension of applied.toReversed()) {
    await attempt(extension, "release", () => extension.release?.()).catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 1) throw new AggregateError(errors, "several extensions could not be released");
  if (errors.length === 1) throw errors[0];
}

async function attempt<T>(extension: GuestExtension, hook: string, call: () => T | Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw failure(extension, hook, error);
  }
}

/** A guest path that is a path. */
function resolvePathBy(extension: GuestExtension, path: string): string {
  let resolved: unknown;
  try {
    resolved = extension.resolvePath?.(path) ?? path;
  } catch (error) {
    throw failure(extension, "resolvePath", error);
  }
  if (typeof resolved === "string" && resolved !== "") return resolved;
  throw invalid(extension, `resolvePath(${JSON.stringify(path)}) gave no path`);
}

function failure(extension: GuestExtension, hook: string, error: unknown): AnyprocError {
  if (isAnyprocError(error)) return error;
  return new AnyprocError(
    "ANYPROC_EXTENSION_FAILED",
    `extension ${extension.name}: ${hook} failed: ${error instanceof Error ? error.message : String(error)}`,
    { cause: error },
  );
}

function checkSetup(extension: GuestExtension, setup: GuestSetup): GuestSetup {
  const unknown = Object.keys(setup).find((name) => !["rootfs", "binds", "defaultBinds", "runners"].includes(name));
  if (unknown !== undefined) throw invalid(extension, `setUp gave ${unknown}, which a guest does not have`);
  if (typeof setup.rootfs !== "string" || setup.rootfs === "") throw invalid(extension, "setUp gave no rootfs");
  for (const name of ["binds", "defaultBinds"] as const) {
    if (!isBindList(setup[name])) throw invalid(extension, `setUp gave ${name} that are no list of { host, guest }`);
  }
  if (!isRunnerList(setup.runners)) {
    throw invalid(extension, "setUp gave runners that are no list of { machine, program, argv0Option }");
  }
  return setup;
}

function isRunnerList(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      ({ machine, program, argv0Option }: Partial<Runner>) =>
        Number.isInteger(machine) &&
        typeof program === "string" &&
        posix.normalize(program) === program &&
        /^\/./.test(program) &&
        ["string", "undefined"].includes(typeof argv0Option),
    )
  );
}

function invalid(extension: GuestExtension, problem: string): AnyprocError {
  return new AnyprocError("ANYPROC_INVALID_OPTION", `extension ${extension.name}: ${problem}: correct the extension`);
}
