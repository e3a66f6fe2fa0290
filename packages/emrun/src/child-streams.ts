import { Socket } from "node:net";
import type { Addon } from "./addon.ts";
import { isStream, policyOf, type RunCommand } from "./runner.ts";

/** The three standard streams of a child that is about to be started. */
export interface ChildStreams {
  /** What the child has as 0, 1 and 2. */
  readonly descriptors: readonly [number, number, number];
  /** To be called after the start: our ends. What the child has is closed here. */
  connect(): { readonly stdin: Socket | null; readonly stdout: Socket | null; readonly stderr: Socket | null };
  /** To be called instead when the start failed. */
  discard(): void;
}

// What startProcess() takes for /dev/null.
const nullDevice = -1;

interface Stream {
  /** What the child gets. */
  readonly theirs: number;
  /** Our end, where it is a pipe. */
  readonly ours?: number;
}

/** Opens pipes, or what else the command wants. Output and errors for one stream share a pipe, which keeps their order. */
export function openChildStreams(addon: Addon, command: RunCommand): ChildStreams {
  const opened: number[] = [];
  const isCombined = isStream(command.stdout) && command.stdout === command.stderr;

  function open(descriptor: 0 | 1 | 2, stream: RunCommand["stdin" | "stdout" | "stderr"]): Stream {
    const policy = policyOf(stream);
    if (policy === "inherit") return { theirs: descriptor };
    if (policy === "null") return { theirs: nullDevice };
    const { read, write } = addon.createPipe();
    opened.push(read, write);
    return descriptor === 0 ? { theirs: read, ours: write } : { theirs: write, ours: read };
  }

  function discard(): void {
    for (const descriptor of opened.splice(0)) addon.closeDescriptor(descriptor);
  }

  try {
    const stdin = open(0, command.stdin);
    const stdout = open(1, command.stdout);
    const stderr: Stream = isCombined ? { theirs: stdout.theirs } : open(2, command.stderr);
    return {
      descriptors: [stdin.theirs, stdout.theirs, stderr.theirs],
      discard,
      connect() {
        const kept = [stdin.ours, stdout.ours, stderr.ours];
        for (const descriptor of opened.splice(0)) if (!kept.includes(descriptor)) addon.closeDescriptor(descriptor);
        return { stdin: writer(stdin.ours), stdout: reader(stdout.ours), stderr: reader(stderr.ours) };
      },
    };
  } catch (error) {
    discard();
    throw error;
  }
}

function reader(descriptor: number | undefined): Socket | null {
  return descriptor === undefined ? null : new Socket({ fd: descriptor, readable: true, writable: false });
}

function writer(descriptor: number | undefined): Socket | null {
  return descriptor === undefined ? null : new Socket({ fd: descriptor, readable: false, writable: true });
}
