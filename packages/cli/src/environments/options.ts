import type { RefusedCall } from "@anyproc/proot";

/** Who wants to know what happens in an environment. */
export interface Observer {
  /** On proot: a system call was refused, or is not known. */
  readonly onRefusedCall?: (call: RefusedCall) => void;
}

/** The options that say where a command runs, as they are on the command line. */
export interface EnvironmentOptions {
  readonly on?: string;
  readonly chroot?: string;
  readonly image?: string;
  readonly container?: string;
  readonly publish?: readonly string[];
  readonly volume?: readonly string[];
  readonly network?: readonly string[];
  readonly name?: string;
  readonly pull?: string;
  /** `--rm`, or false for `--no-rm`. */
  readonly rm?: boolean;
  readonly dockerHost?: string;
  readonly host?: string;
  readonly identity?: readonly string[];
  readonly passwordEnv?: string;
  readonly knownHosts?: string;
  readonly acceptNew?: boolean;
  readonly jump?: readonly string[];
  readonly rootfs?: string;
  /** `-R DIR` */
  readonly R?: string;
  /** `-S DIR` */
  readonly S?: string;
  readonly bind?: readonly string[];
  readonly rootId?: boolean;
  readonly id?: string;
  readonly killOnExit?: boolean;
  readonly strict?: boolean;
}
