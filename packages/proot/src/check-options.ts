import { AnyprocError, type GuestExtension } from "@anyproc/core";
import type { ProotOptions } from "./options.ts";

/** Says what a value should be; undefined when it is that. */
type Check = (value: unknown) => string | undefined;

const bindList = 'a list of "HOST[:GUEST[:ro]]" or { host, guest, readOnly, optional }';
const hooks = ["setUp", "resolvePath", "resolveCommand", "release"] as const;

const checks: { readonly [Name in keyof Required<ProotOptions>]: Check } = {
  rootfs: (value) => (isText(value) ? undefined : "name the directory that becomes the guest's /"),
  binds: (value) => (isBindList(value) ? undefined : bindList),
  defaultBinds: (value) =>
    typeof value === "boolean" || isBindList(value) ? undefined : `give true, false, or ${bindList}`,
  cwd: (value) => (typeof value === "string" ? undefined : "give the path of a directory in the guest"),
  id: (value) =>
    value === "root" || value === "host" || isIds(value)
      ? undefined
      : 'give "root", "host", or an object such as { uid: 1000, gid: 1000 }',
  env: (value) => (isVariables(value) ? undefined : "give an object of names and strings"),
  inheritEnv: (value) =>
    typeof value === "boolean" || isListOf(value, isText) ? undefined : "give true, false, or a list of names",
  killOnExit: boolean,
  cache: boolean,
  patch: boolean,
  strict: boolean,
  onRefusedCall: (value) => (typeof value === "function" ? undefined : "give a function"),
  extensions: (value) =>
    isListOf(value, isExtension) ? undefined : "give a list of objects that have a name and hooks",
};

/**
 * Checks what the compiler cannot: options that come from JavaScript, or by way of the registry.
 *
 * @throws ANYPROC_INVALID_OPTION for an option that is not known, or of another type
 */
export function checkOptions(options: ProotOptions): void {
  if (options?.rootfs === undefined) throw invalid(`rootfs is missing: ${checks.rootfs(undefined)}`);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(checks, name)) {
      throw invalid(`there is no option ${name}: choose among ${Object.keys(checks).join(", ")}`);
    }
    if (value === undefined) continue;
    const wanted = checks[name as keyof ProotOptions](value);
    if (wanted !== undefined) throw invalid(`${name} cannot be ${display(value)}: ${wanted}`);
  }
}

function boolean(value: unknown): string | undefined {
  return typeof value === "boolean" ? undefined : "give true or false";
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && !value.includes("\0");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}

/** True for what `binds` may be. */
export function isBindList(value: unknown): boolean {
  return isListOf(value, (bind) => isText(bind) || (isObject(bind) && isText(bind["host"])));
}

function isIds(value: unknown): boolean {
  if (!isObject(value)) return false;
  const isId = (id: unknown): boolean => Number.isInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 32 - 1;
  return isId(value["uid"]) && (value["gid"] === undefined || isId(value["gid"]));
}

function isVariables(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((text) => text === undefined || typeof text === "string");
}

function isExtension(value: unknown): value is GuestExtension {
  return (
    isObject(value) &&
    isText(value["name"]) &&
    hooks.every((hook) => ["function", "undefined"].includes(typeof value[hook]))
  );
}

function display(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

function invalid(message: string): AnyprocError {
  return new AnyprocError("ANYPROC_INVALID_OPTION", `proot: ${message}`);
}
