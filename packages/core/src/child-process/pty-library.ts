import type { Readable } from "node:stream";

/** The end of a terminal that is not the program's. */
export interface PtySocket extends Readable {
  readonly bytesRead: number;
}

/** The part of a terminal from node-pty and its forks that is used here. */
export interface Pty {
  readonly pid: number;
  /** Only on POSIX. Not documented by the library, see ptyOutput() and delayHangUp() for why it is needed. */
  readonly _socket?: PtySocket;
  write(data: string | Buffer): void;
  resize(columns: number, rows: number): void;
  pause(): void;
  resume(): void;
  kill(signal?: string): void;
  onData(listener: (data: string | Buffer) => void): unknown;
  onExit(listener: (exit: { readonly exitCode: number; readonly signal?: number | undefined }) => void): unknown;
}

/** node-pty, or a fork with its interface. */
export interface PtyModule {
  spawn(
    file: string,
    args: string[],
    options: {
      readonly name: string;
      readonly cols: number;
      readonly rows: number;
      readonly cwd?: string;
      readonly env: Record<string, string>;
      readonly encoding: null;
    },
  ): Pty;
}
