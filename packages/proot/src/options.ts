import type { Bind, GuestExtension, UserIds } from "@anyproc/core";
import type { RefusedCall } from "./refused-calls.ts";

/** Options of createProot(). */
export interface ProotOptions {
  /** Directory that becomes the guest's `/`. `/` itself is allowed: this machine, with another identity. */
  readonly rootfs: string;
  /** Objects, or text as `HOST[:GUEST[:ro]]`. */
  readonly binds?: readonly (Bind | string)[];
  /** Bound before `binds`: true for /dev, /proc and /sys, false for none, or a list of your own. @default true */
  readonly defaultBinds?: boolean | readonly (Bind | string)[];
  /** Working directory of commands that name none, in the guest. @default "/" */
  readonly cwd?: string;
  /** Identity that the guest sees: root, the host's own, or numbers. @default "root" */
  readonly id?: "root" | "host" | UserIds;
  /** Variables on top of the guest's clean set (PATH, HOME, TERM, LANG). */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Take variables over from the host: all of them, or those named. @default false */
  readonly inheritEnv?: boolean | readonly string[];
  /** End every guest process when the command ends; false waits for all of them. @default true */
  readonly killOnExit?: boolean;
  /** Remember directories between system calls; turn it off to rule it out while looking for a fault. @default true */
  readonly cache?: boolean;
  /**
   * Answer ENOSYS to system calls that the engine does not know, as an older kernel would. False hands them to the
   * kernel as they are: a path in them would be the host's. @default true
   */
  readonly strict?: boolean;
  /** Called the first time that a command's programs make a system call which is refused, or not known. */
  readonly onRefusedCall?: (call: RefusedCall) => void;
  /** Applied in this order before the guest starts, and released in reverse. */
  readonly extensions?: readonly GuestExtension[];
  /**
   * Rewrite system calls that the guests make often, in their memory, so that they cost no signal. Where the system
   * allows no code to change, nothing is rewritten. Turn it off for guests that check their own code. @default true
   */
  readonly patch?: boolean;
}
