import { getSystemErrorName } from "node:util";

/** What to do about what the system withholds from the engine: the same words in errors and in the diagnosis. */

/** seccomp(2): EINVAL is a kernel's answer, others are a sandbox's. */
export function seccompRemedy(errno: number): string {
  return errorName(errno) === "EINVAL"
    ? "use a kernel that is built with CONFIG_SECCOMP_FILTER"
    : "allow seccomp(2) and prctl(2) in the sandbox around this process (docker: --security-opt seccomp=unconfined)";
}

export const memfdRemedy =
  "allow memfd_create(2) in the sandbox around this process (docker: --security-opt seccomp=unconfined); it needs Linux 3.17";

export const procRemedy = "mount it in the sandbox around this process (mount -t proc proc /proc; bwrap: --proc /proc)";

/** `EPERM` for 1. */
export function errorName(errno: number): string {
  return errno > 0 ? getSystemErrorName(-errno) : "no error";
}
