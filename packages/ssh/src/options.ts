/** A secret, or a function that fetches it when it is needed. */
export type Secret = string | (() => string | Promise<string>);

/** A private key in a file, or as the text of such a file. */
export type PrivateKey =
  | { readonly path: string; readonly passphrase?: Secret }
  | { readonly data: string | Uint8Array; readonly passphrase?: Secret };

/** One question of a server's keyboard-interactive authentication (RFC 4256). */
export interface Prompt {
  readonly text: string;
  /** False for a password: what is typed must not be shown. */
  readonly echo: boolean;
}

/** A host that no known_hosts file has. */
export interface UnknownHost {
  /** As known_hosts spells it: `box`, or `[box]:2222`. */
  readonly name: string;
  readonly keyType: string;
  /** As ssh-keygen(1) prints it. */
  readonly fingerprint: string;
  /** Where the key will be added. */
  readonly file: string;
}

/** How to prove who you are. What is given is tried in this order: keys, agent, locked keys, prompts, password. */
export interface SshAuthentication {
  /** A function is called up to three times, as long as it has another answer. */
  readonly password?: Secret;
  /** @default the IdentityFile lines of the ssh configuration, else the usual names in ~/.ssh */
  readonly privateKeys?: readonly PrivateKey[];
  /** Unlocks a key that nobody named and that is encrypted. @default such keys are passed over */
  readonly passphrase?: (path: string) => string | Promise<string>;
  /** Socket of an ssh-agent; false for none. @default $SSH_AUTH_SOCK, unless keys or the text of a password are given */
  readonly agent?: string | false;
  /** Answers keyboard-interactive questions. @default a single hidden question is answered with `password` */
  readonly answerPrompts?: (prompts: readonly Prompt[], instructions: string) => Promise<readonly string[]>;
}

/** How hard a lost connection is tried again when the next command comes. */
export interface ReconnectOptions {
  /** @default 5 */
  readonly attempts?: number;
  /** Pause after the first failure, in milliseconds; it doubles with each further one. @default 200 */
  readonly delayMs?: number;
  /** Longest pause, in milliseconds. @default 10000 */
  readonly maxDelayMs?: number;
}

/** Where a server is and how to trust and enter it. */
export interface SshDestination {
  /** Host name, address, or a Host of the ssh configuration. */
  readonly host: string;
  /** @default the configuration's, else 22 */
  readonly port?: number;
  /** @default the configuration's, else the local user's name */
  readonly user?: string;
  readonly auth?: SshAuthentication;
  /** Files with the keys of known hosts. @default ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts */
  readonly knownHosts?: string | readonly string[];
  /**
   * Add the key of a host that is not known yet, instead of refusing it; or whom to ask whether to. A changed key is
   * always refused. @default false
   */
  readonly acceptNew?: boolean | ((host: UnknownHost) => boolean | Promise<boolean>);
}

/** Options of connectSsh(). */
export interface SshOptions extends SshDestination, SessionOptions {
  /** ssh_config(5) file; false for none. @default ~/.ssh/config, then /etc/ssh/ssh_config */
  readonly config?: string | false;
  /** Hosts to go through, first to last; `[user@]host[:port]` or a destination. @default the configuration's ProxyJump */
  readonly jump?: readonly (string | SshDestination)[];
  /**
   * How to enter a jump host that names no `auth` of its own, as `user@host:port`. What is in `auth` is for the server
   * alone: no jump host is shown its password. @default keys and agent, as where nothing is given
   */
  readonly jumpAuth?: (jumpHost: string) => SshAuthentication;
  /**
   * How long the server may stay silent while it is waited for, in milliseconds: until the connection is made, and later
   * for the start and the end of commands, for files and ports. @default 20000
   */
  readonly timeoutMs?: number;
  /** Pause between keep-alive requests, in milliseconds; three without an answer end the connection; 0 for none. @default 15000 */
  readonly keepAliveMs?: number;
  /** Connect again when a command is started after the connection was lost. @default false */
  readonly reconnect?: boolean | ReconnectOptions;
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
}

/** What commands get when they name nothing else. */
export interface SessionOptions {
  /** Working directory on the remote machine. @default the user's home */
  readonly cwd?: string;
  /** Variables on top of the remote login's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Modes of terminals by their names in RFC 4254, 8, for instance `{ ECHO: 0 }`. @default the server's */
  readonly terminalModes?: Readonly<Record<string, number>>;
}
