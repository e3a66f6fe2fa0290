import type { Command, Environment, Exit, Process, SpawnOptions } from "@anyproc/core";
import { forwardSignals } from "./forward-signals.ts";
import { rawMode } from "./raw-mode.ts";

/** Runs a command on a terminal of its own, which the local one, if there is one, stands for: keys, size and all. */
export async function runOnTerminal(environment: Environment, command: Command, options: SpawnOptions): Promise<Exit> {
  const running = environment.create({ ...command, pty: localSize() ?? true }, options);
  running.attachStdout(process.stdout);
  running.attachStderr(process.stderr);
  const stopForwarding = forwardSignals(running);
  const leaveRawMode = rawMode(process.stdin);
  try {
    await running.start();
    running.attachStdin(process.stdin);
    const stopFollowing = followSize(running);
    try {
      return await running.wait();
    } finally {
      stopFollowing();
    }
  } finally {
    leaveRawMode();
    stopForwarding();
    // An open stdin would keep this process alive after the program has gone.
    process.stdin.destroy();
  }
}

function followSize(running: Process): () => void {
  const resize = (): void => {
    const size = localSize();
    if (size) running.resize(size);
  };
  process.on("SIGWINCH", resize);
  // It may have changed while the program was being started.
  resize();
  return () => void process.off("SIGWINCH", resize);
}

function localSize(): { columns: number; rows: number } | undefined {
  for (const stream of [process.stdout, process.stderr]) {
    if (!stream.isTTY) continue;
    const [columns, rows] = stream.getWindowSize();
    // A terminal that does not know its size says 0.
    if (columns > 0 && rows > 0) return { columns, rows };
  }
  return undefined;
}
