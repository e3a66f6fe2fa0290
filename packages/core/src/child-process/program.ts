import type { PtySize, StreamPolicy, UserIds } from "../command.ts";

/** A program on this machine, with everything about it decided. */
export interface LocalProgram {
  /** The name for messages. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: StreamPolicy | undefined;
  readonly stdout?: StreamPolicy | undefined;
  readonly stderr?: StreamPolicy | undefined;
  readonly user?: UserIds | undefined;
  /** A new session: setsid(2). */
  readonly detached?: boolean | undefined;
}

/** A program on this machine that gets a terminal, and so a session, of its own. */
export interface LocalPtyProgram extends Pick<LocalProgram, "name" | "file" | "args" | "cwd" | "env"> {
  /** `null`: the terminal's end of file is typed at once. */
  readonly stdin?: StreamPolicy | undefined;
  readonly size: Required<PtySize>;
}
