import type { Readable, Writable } from "node:stream";
import type { Command, EndOptions, ProgramExit, PtySize, RunningProgram, SignalName } from "@anyproc/core";
import type { ProgramStreams } from "./program-streams.ts";

/** What is known of a program that has been started. */
export interface StartedProgram {
  readonly command: Command;
  readonly streams: ProgramStreams;
  readonly exited: Promise<ProgramExit>;
  readonly signal: (name: SignalName) => Promise<void>;
  readonly end: (options: EndOptions, streams: ProgramStreams) => Promise<void>;
  readonly resize: (size: Required<PtySize>) => Promise<void>;
  /** False for a program that somebody else started: it is not told that nobody reads here any more. @default true */
  readonly isOurs?: boolean;
  readonly stdin: Writable;
}

/** Puts a program and its connection together as core wants them. */
export function runningProgram(started: StartedProgram): RunningProgram {
  const { command, stdin, streams, exited, signal, end, resize, isOurs = true } = started;
  const { pty } = command;
  let hasEnded = false;
  exited
    .catch(() => {})
    .finally(() => {
      hasEnded = true;
    });
  const abandoned = (): void => {
    // A local program would get SIGPIPE from its next write, or SIGHUP when its terminal is gone.
    streams.onAbandoned = () => {};
    if (!hasEnded && isOurs) void signal(pty ? "SIGHUP" : "SIGPIPE").catch(() => {});
  };
  streams.onAbandoned = abandoned;
  if (pty) {
    streams.stdout.once("close", () => {
      if (!streams.stdout.readableEnded) abandoned();
    });
  }
  return {
    stdin: command.stdin === "null" ? null : stdin,
    stdout: command.stdout === "null" && !pty ? discard(streams.stdout) : streams.stdout,
    stderr: command.stderr === "null" ? discard(streams.stderr) : streams.stderr,
    exited,
    signal,
    end: (options) => end(options, streams),
    ...(pty && { resize: (size: Required<PtySize>) => void resize(size) }),
  };
}

function discard(stream: Readable | null): null {
  stream?.resume();
  return null;
}
