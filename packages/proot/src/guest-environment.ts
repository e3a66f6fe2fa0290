import { type Command, mergeEnv } from "@anyproc/core";
import type { ProotOptions } from "./options.ts";

/** Where programs are searched when nothing says otherwise: Debian's path for root. */
export const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// They steer the host's own dynamic linker and would be obeyed inside the guest.
const neverInherited = new Set(["LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT"]);

/** The variables of a guest command: the clean set, what is taken over from the host, the options', the command's. */
export function guestEnvironment(options: ProotOptions, command: Command, home: string): Record<string, string> {
  const clean = { PATH: defaultPath, HOME: home, TERM: process.env["TERM"] ?? "dumb", LANG: "C.UTF-8" };
  return mergeEnv({ ...clean, ...inherited(options.inheritEnv ?? false), ...options.env }, command);
}

function inherited(which: boolean | readonly string[]): Record<string, string | undefined> {
  if (which === false) return {};
  const names = which === true ? Object.keys(process.env).filter((name) => !neverInherited.has(name)) : which;
  return Object.fromEntries(names.filter((name) => name in process.env).map((name) => [name, process.env[name]]));
}
